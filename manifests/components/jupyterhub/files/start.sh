#!/bin/sh
# Starts a notebook server; the welcome notebook is put into the home where there is none, and never over one.
set -eu
[ -e "$HOME/welcome.ipynb" ] || cp /etc/aistack/welcome.ipynb "$HOME/welcome.ipynb"
# By its whole path: packages of the user's own come first in PATH.
exec /opt/venv/bin/jupyterhub-singleuser "$@"
