#!/bin/sh
# Pod networking of a kind node: the CNI configuration from the node's own pod range, a route to every other node's range,
# and masquerading of what leaves the pod network. Follows the nodes with a watch, so that a node is Ready at once.
set -u
config=/etc/cni/net.d/10-kindnet.conflist

masquerade() {
  rule="POSTROUTING -s $POD_SUBNET ! -d $POD_SUBNET -j MASQUERADE"
  iptables -w -t nat -C $rule 2>/dev/null || iptables -w -t nat -A $rule
}

write_config() {
  cat > "$config.new" <<EOF
{
  "cniVersion": "0.4.0",
  "name": "kindnet",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "mtu": 1500,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "routes": [{"dst": "0.0.0.0/0"}],
        "ranges": [[{"subnet": "$1"}]]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
EOF
  mv "$config.new" "$config"
  echo "pods of this node: $1"
}

node() { # range, address
  if [ "$2" != "$HOST_IP" ]; then
    ip route replace "$1" via "$2"
  elif ! grep -qs "\"$1\"" "$config"; then
    write_config "$1"
  fi
}

masquerade
while :; do
  kubectl get nodes --watch --output jsonpath='{.spec.podCIDR} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}' |
    while read -r range address; do
      [ -z "$address" ] || node "$range" "$address"
    done
  sleep 1 # the API server is away
done
