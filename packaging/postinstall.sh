#!/bin/sh
# Runs after an installation and after an upgrade, of the .deb and of the .rpm.
set -e

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers junctor.conf
elif ! id junctor >/dev/null 2>&1; then
	useradd --system --home-dir /var/lib/junctor --shell /usr/sbin/nologin junctor
fi
chgrp junctor /etc/junctor /etc/junctor/junctor.yaml

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart junctor.service # after an upgrade; a first installation starts nothing
fi
