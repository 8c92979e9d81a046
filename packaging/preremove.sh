#!/bin/sh
# Runs before a removal or an upgrade. dpkg calls it with "remove" or "upgrade", rpm with the number of packages that stay.
# What the service has stored stays in /var/lib/junctor, also after a purge.
set -e

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now junctor.service
	fi
	;;
esac
