"""The control plane: commands of etcd, API server, controllers and scheduler, and calls of the API."""

import http.client
import ssl
from collections.abc import Callable

from e2e.kubebox.layout import Layout


def api(layout: Layout, path: str) -> tuple[int, bytes]:
    """GETs a path of the API as the administrator: status and body."""
    context = ssl.create_default_context(cafile=layout.pki("ca.crt"))
    context.load_cert_chain(layout.pki("admin.crt"), layout.pki("admin.key"))
    connection = http.client.HTTPSConnection("127.0.0.1", layout.port, timeout=5, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def etcd(layout: Layout) -> list[str]:
    """etcd's command. It does not sync: its data survives a kill, not a power loss."""
    client, peer = (f"http://127.0.0.1:{port}" for port in layout.etcd_ports)
    return [
        *(layout.kubebox, "etcd", "--name=only", f"--data-dir={layout.path('etcd')}", "--log-level=warn"),
        *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}"),
        *(f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=only={peer}", "--unsafe-no-fsync"),
    ]


def apiserver(layout: Layout) -> list[str]:
    """The API server's command. With a node it listens on all addresses, as the node comes over the link."""
    if layout.node:
        network = ["--bind-address=0.0.0.0", f"--advertise-address={layout.host_ip}"]
    else:
        network = ["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]
    return [
        *(layout.kubebox, "kube-apiserver", *network, f"--secure-port={layout.port}"),
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_ports[0]}",
        f"--tls-cert-file={layout.pki('apiserver.crt')}",
        f"--tls-private-key-file={layout.pki('apiserver.key')}",
        f"--client-ca-file={layout.pki('ca.crt')}",
        f"--requestheader-client-ca-file={layout.pki('front-proxy-ca.crt')}",
        *("--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User"),
        *("--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-"),
        f"--proxy-client-cert-file={layout.pki('front-proxy-client.crt')}",
        f"--proxy-client-key-file={layout.pki('front-proxy-client.key')}",
        f"--kubelet-certificate-authority={layout.pki('ca.crt')}",
        f"--kubelet-client-certificate={layout.pki('apiserver-kubelet-client.crt')}",
        f"--kubelet-client-key={layout.pki('apiserver-kubelet-client.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={layout.pki('service-accounts.crt')}",
        f"--service-account-signing-key-file={layout.pki('service-accounts.key')}",
        f"--service-cluster-ip-range={layout.service_cidr}",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        *("--allow-privileged=true", "--profiling=false", *layout.apiserver_flags),
    ]


def controllers(layout: Layout, kubeconfig: Callable[[str], str]) -> dict[str, list[str]]:
    """Commands of controller manager and scheduler."""
    plugins = "/var/lib/kubelet/volume-plugins" if layout.node else layout.path("volume-plugins")
    manager = [
        *(layout.kubebox, "kube-controller-manager", f"--kubeconfig={kubeconfig('kube-controller-manager')}"),
        *("--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true"),
        *("--kube-api-qps=200", "--kube-api-burst=400", f"--root-ca-file={layout.pki('ca.crt')}"),
        f"--service-account-private-key-file={layout.pki('service-accounts.key')}",
        f"--cluster-signing-cert-file={layout.pki('ca.crt')}",
        f"--cluster-signing-key-file={layout.pki('ca.key')}",
        *("--enable-hostpath-provisioner=true", f"--flex-volume-plugin-dir={plugins}"),
    ]
    scheduler = [
        *(layout.kubebox, "kube-scheduler", f"--kubeconfig={kubeconfig('kube-scheduler')}"),
        *("--leader-elect=false", "--secure-port=0"),
    ]
    return {"kube-controller-manager": manager, "kube-scheduler": scheduler}
