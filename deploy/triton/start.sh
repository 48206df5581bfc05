#!/bin/sh
# Starts tritonserver with what guards it; more options may follow. Compose and Kubernetes both run this file.
# Two keys are read from files: who sends the first may ask models, who sends the second may look inside the server.
set -eu
secrets=${CALLSCOPE_SECRETS_DIR:-/run/secrets}

key() {
  value=$(cat "$secrets/$1") || exit 2
  [ ${#value} -ge 16 ] || { echo "$secrets/$1 holds no key of at least 16 characters. Run deploy/make-secrets.sh." >&2; exit 2; }
  printf '%s' "$value"
}

client_key=$(key client_key)
admin_key=$(key admin_key)
# HTTP takes the header's whole name, gRPC puts triton-grpc-protocol- before it: so one name serves both.
client=callscope-key=$client_key
admin=callscope-admin-key=$admin_key
prefix=triton-grpc-protocol-
use=inference,metadata,model-config
inside=model-repository,shared-memory,statistics,trace,logging

exec "${TRITONSERVER:-tritonserver}" \
  --model-repository="${MODEL_REPOSITORY:-/models}" \
  --model-control-mode=none \
  --exit-on-error=true \
  --strict-readiness=true \
  --disable-auto-complete-config \
  --exit-timeout-secs="${EXIT_TIMEOUT_S:-60}" \
  --cache-config=local,size=67108864 \
  --metrics-config=summary_latencies=false \
  --http-restricted-api="$use:$prefix$client" \
  --http-restricted-api="$inside:$prefix$admin" \
  --grpc-restricted-protocol="$use:$client" \
  --grpc-restricted-protocol="$inside:$admin" \
  "$@"
