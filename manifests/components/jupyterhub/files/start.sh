#!/bin/sh
# Starts a notebook server; the welcome notebook is put into the home where there is none, and never over one.
set -eu
[ -e "$HOME/welcome.ipynb" ] || cp /etc/aistack/welcome.ipynb "$HOME/welcome.ipynb"
exec jupyterhub-singleuser "$@"
