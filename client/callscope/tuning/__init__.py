"""Which way to serve a repository suits the machine: `callscope tune`."""
