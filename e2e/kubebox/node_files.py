"""Configuration files of the node's programs, and the objects that a cluster with a node starts with."""

import json
from pathlib import Path

from e2e.kubebox.certificates import make_kubeconfig
from e2e.kubebox.layout import TOOLBOX_IMAGE, Layout

NODE_USERS = ("kubelet", "kube-proxy", "coredns", "kube-controller-manager", "kube-scheduler")


def write_node_files(layout: Layout) -> None:
    """Writes DIR/node: kubeconfigs and the configuration of containerd, kubelet, kube-proxy, CoreDNS and CNI."""
    node = Path(layout.path("node"))
    node.mkdir()
    for user in NODE_USERS:
        make_kubeconfig(layout, user, node / f"{user}.kubeconfig", f"https://{layout.host_ip}:{layout.port}")
    (node / "resolv.conf").write_text(f"nameserver {layout.node_ip}\n")
    (node / "containerd.toml").write_text(_containerd(node))
    (node / "kubelet.json").write_text(json.dumps(_kubelet(layout, node), indent=1))
    (node / "kube-proxy.json").write_text(json.dumps(_kube_proxy(layout, node), indent=1))
    (node / "Corefile").write_text(_corefile(layout, node))
    (node / "cni").mkdir()
    (node / "cni" / "10-pods.conflist").write_text(json.dumps(_network(layout), indent=1))


def _containerd(node: Path) -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]
[grpc]
  address = "/run/containerd/containerd.sock"
[{cri}]
  sandbox_image = "{TOOLBOX_IMAGE}"
  restrict_oom_score_adj = true
  [{cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{node / "cni"}"
  [{cri}.containerd]
    snapshotter = "overlayfs"
    [{cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def _root_device_known() -> bool:
    """Whether the kubelet can tell the root file system's device, without which it starts only if told not to look."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return any(mount[1] == "/" and Path(mount[0]).exists() for mount in mounts)


def _kubelet(layout: Layout, node: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.node_ip,
        "healthzPort": 0,
        "tlsCertFile": layout.pki("kubelet-server.crt"),
        "tlsPrivateKeyFile": layout.pki("kubelet-server.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": layout.pki("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": _root_device_known(),
        "oomScoreAdj": 0,
        "clusterDNS": [layout.dns_ip],
        "clusterDomain": "cluster.local",
        "resolvConf": str(node / "resolv.conf"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "5s",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
    }


def _kube_proxy(layout: Layout, node: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": layout.proxy_mode,
        "clusterCIDR": layout.pod_cidr,
        "hostnameOverride": "node",
        "clientConnection": {"kubeconfig": str(node / "kube-proxy.kubeconfig")},
        "oomScoreAdj": 0,
        layout.proxy_mode: {"minSyncPeriod": "100ms"},
        # Only the first network namespace may set these, so leave them alone.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _corefile(layout: Layout, node: Path) -> str:
    return f"""cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind {layout.node_ip}
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {node / "coredns.kubeconfig"}
        pods insecure
        ttl 5
    }}
    cache 5
    loadbalance
}}
cluster.internal:53 {{
    bind {layout.node_ip}
    hosts {{
        {layout.host_ip} host.cluster.internal
    }}
}}
.:53 {{
    bind {layout.node_ip}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def _network(layout: Layout) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": layout.pod_cidr}]]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def system_objects(layout: Layout) -> str:
    """DNS's role, Service and endpoints, and the default StorageClass, as YAML."""
    return f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: "system:coredns"}}
rules:
- {{apiGroups: [""], resources: [endpoints, services, pods, namespaces], verbs: [list, watch]}}
- {{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: "system:coredns"}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:coredns"}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "system:coredns"}}]
---
apiVersion: v1
kind: Service
metadata: {{name: kube-dns, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  clusterIP: {layout.dns_ip}
  ports:
  - {{name: dns, port: 53, protocol: UDP}}
  - {{name: dns-tcp, port: 53, protocol: TCP}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: kube-dns, namespace: kube-system, labels: {{kubernetes.io/service-name: kube-dns}}}}
addressType: IPv4
ports:
- {{name: dns, port: 53, protocol: UDP}}
- {{name: dns-tcp, port: 53, protocol: TCP}}
endpoints:
- {{addresses: ["{layout.node_ip}"], conditions: {{ready: true}}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: standard, annotations: {{storageclass.kubernetes.io/is-default-class: "true"}}}}
provisioner: kubernetes.io/host-path
reclaimPolicy: Delete
"""
