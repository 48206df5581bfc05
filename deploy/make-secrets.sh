#!/bin/sh
# Makes what a deployment keeps secret, where it is not there yet: two keys, a database's password, a certificate.
#   deploy/make-secrets.sh FOLDER [NAME …]     NAME: a host name or IP address under which clients reach the gateway
# Files are readable by all, so that containers with other user ids can read them; the folder is the owner's alone.
set -eu
folder=${1:?name a folder for the secrets}
shift
[ $# -gt 0 ] || set -- localhost 127.0.0.1
umask 022
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

names=DNS:proxy,DNS:triton
for name in "$@"; do
  case $name in
    *[!0-9.]*) names=$names,DNS:$name ;;
    *) names=$names,IP:$name ;;
  esac
done

new() { [ -s "$1" ] || openssl rand -hex 32 >"$1"; }
new client_key
new admin_key
new postgres_password
new grafana_password
# A setting of Callscope each: CALLSCOPE_SECRETS_DIR names the folder in which they lie
[ -s headers ] || printf 'triton-grpc-protocol-callscope-key: %s\n' "$(cat client_key)" >headers
[ -s store ] || printf 'postgresql://callscope:%s@postgres/callscope\n' "$(cat postgres_password)" >store

if [ ! -s tls.crt ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -days 825 -subj "/CN=Callscope's own authority" -keyout ca.key -out ca.crt \
    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  openssl req -newkey rsa:3072 -nodes -subj "/CN=callscope" -keyout tls.key -out tls.csr 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >names
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 397 -extfile names -out tls.crt 2>/dev/null
  rm -f tls.csr names ca.srl
  chmod 600 ca.key
  chmod 644 tls.key
fi
echo "$PWD: clients need ca.crt and the line in headers; keep ca.key and admin_key away from them." >&2
