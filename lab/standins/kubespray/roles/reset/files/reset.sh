#!/bin/bash
# Takes everything of Kubernetes off this machine; its programs and the container runtime stay.
set -uo pipefail
export PATH=/usr/local/bin:$PATH
if ! [ -e /etc/kubernetes/kubeadm-config.yaml ] && ! [ -e /etc/kubernetes/joined ] && ! [ -e /etc/kubernetes/patches ]; then
    echo unchanged
    exit
fi
systemctl disable --quiet --now kubelet
kubeadm reset --force --cert-dir /etc/kubernetes/ssl >/var/log/kubeadm-reset.log 2>&1
systemctl disable --quiet --now etcd 2>/dev/null
# containerd watches the folder of network configurations: it has to stay.
rm -rf /etc/kubernetes /var/lib/etcd/member /var/lib/kubelet/* /etc/cni/net.d/* /var/lib/cni /run/flannel
for link in cni0 flannel.1; do ip link delete "$link" 2>/dev/null; done
for family in iptables ip6tables; do
    "$family-save" | grep -Ev 'KUBE-|FLANNEL|flannel' | "$family-restore"
done
echo changed
