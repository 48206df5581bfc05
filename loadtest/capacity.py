"""What a server can do: users that send a window when their last one is answered. Beside the locustfile, for `Closed`.

locust -f loadtest/locustfile.py,loadtest/capacity.py Closed --headless -u 32 -r 32 -t 20s --host grpc://127.0.0.1:8001
"""

from loadtest.source import Source


class Closed(Source):
    """Windows one after another; the number of users is the number of requests in flight."""

    kind = "closed"
