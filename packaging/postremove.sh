#!/bin/sh
# Runs after a removal.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
