"""A cluster's certificates and kubeconfigs."""

import base64
import json
import subprocess
from pathlib import Path

from e2e.kubebox.layout import NODE_NAME, Layout

_CLIENTS = {
    "apiserver-kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
    "admin": "/O=system:masters/CN=admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kube-proxy": "/CN=system:kube-proxy",
    "coredns": "/CN=system:coredns",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE_NAME}",
}
_AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
_CLIENT = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth")
_SERVER = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth")


def make_certificates(layout: Layout) -> None:
    """Writes DIR/pki: authorities, server and client certificates, the service accounts' key pair."""
    Path(layout.path("pki")).mkdir(mode=0o700)
    Path(layout.pki("openssl.cnf")).write_text("[req]\ndistinguished_name=dn\n[dn]\n")
    _certificate(layout, "ca", "/CN=kubernetes", *_AUTHORITY, signer=None)
    _certificate(layout, "front-proxy-ca", "/CN=front-proxy", *_AUTHORITY, signer=None)
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names += ["kubernetes.default.svc.cluster.local"]
    addresses = ("127.0.0.1", layout.host_ip, layout.api_service_ip)
    alternatives = ",".join([f"DNS:{n}" for n in names] + [f"IP:{a}" for a in addresses])
    _certificate(layout, "apiserver", "/CN=kube-apiserver", *_SERVER, f"subjectAltName={alternatives}")
    node = f"subjectAltName=DNS:{NODE_NAME},IP:{layout.node_ip}"
    _certificate(layout, "kubelet-server", f"/CN={NODE_NAME}", *_SERVER, node)
    _certificate(layout, "front-proxy-client", "/CN=front-proxy-client", *_CLIENT, signer="front-proxy-ca")
    for name, subject in _CLIENTS.items():
        _certificate(layout, name, subject, *_CLIENT)
    _certificate(layout, "service-accounts", "/CN=service-accounts", signer=None)  # only its key pair is used


def _certificate(layout: Layout, name: str, subject: str, *extensions: str, signer: str | None = "ca") -> None:
    signed = ("-CA", layout.pki(f"{signer}.crt"), "-CAkey", layout.pki(f"{signer}.key")) if signer else ()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    command += ["-days", "3650", "-config", layout.pki("openssl.cnf"), "-subj", subject, *signed]
    command += ["-keyout", layout.pki(f"{name}.key"), "-out", layout.pki(f"{name}.crt")]
    command += [part for extension in extensions for part in ("-addext", extension)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def make_kubeconfig(layout: Layout, user: str, file: Path, server: str) -> None:
    """Writes a kubeconfig with the user's certificate in it."""

    def data(name: str) -> str:
        return base64.b64encode(Path(layout.pki(name)).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": data("ca.crt")}
    credentials = {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": user, "namespace": "default"}}],
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(config, indent=1))
