"""Names, labels and annotations that the operator, its charts and its gateways agree on."""

FIELD_MANAGER = "sluice"
"""The one field manager of everything that the operator applies."""

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED = "sluice"
"""Value of MANAGED_BY on everything that the operator makes; nothing without it is ever pruned."""

COMPONENT = "sluice.dev/component"
"""What a made object is part of: config, gateway, batch, credentials, redis, qdrant, model."""
OWNER_MODEL = "sluice.dev/model"
"""On a model's objects: the QuantisedModel's name."""
INTENT = "sluice.dev/intent"
"""Annotation on made objects: digest of what was applied, so that a field that is no longer wanted is noticed."""

CREDENTIAL = "sluice.dev/credential"
"""Label of Secrets that Sluice may read: "true" on a user's, "managed" on the operator's own."""
HOSTS = "sluice.dev/hosts"
"""Annotation of a credential: hosts, comma separated, that its values may be sent to besides the provider's own."""

INJECT = "sluice.dev/inject"
"""Pod label: "true" asks for a sidecar."""
PORT_ANNOTATION = "sluice.dev/port"
"""Pod annotation: the sidecar's data port; its admin port is the next one."""
INJECTED = "sluice.dev/injected"
"""Pod annotation that the webhook sets: the gateway's version."""

GATEWAY = "sluice.dev/gateway"
"""Pod label: "shared" on the namespace's gateway, "batch" on its worker, "sidecar" on a pod with an injected one."""
FILES = "sluice.dev/files"
"""Pod label: "true" on pods that mount the volume of batch files; where one node alone can, they stay together."""
LEADER = "sluice.dev/leader"
"""Pod label of the leading operator replica: "true"; the report Service selects it."""

# In every namespace that has a route
CONFIG_MAP = "sluice-config"
CONFIG_KEY = "config.json"
"""Canonical JSON of the Config; a Config of more than SHARD_BYTES has SHARDS_KEY instead."""
SHARDS_KEY = "shards.json"
"""{"digest": Config digest, "shards": [{"name": ConfigMap, "sha256": hex of its part}]}; parts joined are the JSON."""
SIGNATURE_KEY = "signature"
"""Beside each of them, 64 hexadecimal digits: the signature of all of the JSON, with the namespace's salt."""
SHARD_KEY = "part"
SHARD_BYTES = 900_000
ENDPOINTS_MAP = "sluice-endpoints"
ENDPOINTS_KEY = "endpoints.json"
CREDENTIALS_SECRET = "sluice-credentials"  # noqa: S105  (a name)
"""Aggregated Secret of the shared gateway and its worker: SECRET_KEY entries (no name has an underscore) and
CREDENTIALS_INDEX."""
CREDENTIALS_INDEX = "index.json"
"""{"SECRET_KEY": {"version": text, "hosts": [host or host:port]}}; no hosts: it is sent nowhere (callers' API keys,
keys that sign webhooks)."""
CREDENTIALS_SALT = "salt"
"""Random text of the namespace: versions of values, and the key that signs the Config, are derived from it."""
STORE_SECRET = "sluice-store"  # noqa: S105  (a name)
"""The namespace's credentials for stores and state, mounted into every gateway: redis-username, redis-password,
qdrant-api-key; and external-SECRET_KEY for external ones."""
STORE_ADMIN_SECRET = "sluice-store-admin"  # noqa: S105  (a name)
"""What the managed store servers alone mount: redis-users (the ACL file of redis-server) and qdrant-key (the key of the
server, `QDRANT__SERVICE__API_KEY`; gateways get a token that it signs, for their collection only); and redis-operator,
by which the operator signs in at Redis, and which nobody mounts."""
KEY_VERSION = "sluice.dev/key-version"
"""Annotation on a store's pods: which of the operator's keys they started with."""
GATEWAY_NAME = "sluice-gateway"
"""Deployment, Service, ServiceAccount, PodDisruptionBudget and NetworkPolicy of the shared gateway."""
BATCH_NAME = "sluice-batch"
"""Deployment, ServiceAccount, PodDisruptionBudget and NetworkPolicy of the worker of deferred requests."""
FILES_CLAIM = "sluice-batch-files"
"""PersistentVolumeClaim of batch files: made once, never changed and never deleted by the operator."""
READER_ROLE = "sluice-config-reader"
"""Role and RoleBinding: who may read the Config."""
REDIS_NAME = "sluice-redis"
QDRANT_NAME = "sluice-qdrant"
MODEL_PREFIX = "sluice-model-"
"""A QuantisedModel's workload and Service: the prefix and its name."""

# In a gateway's container
RUN = "/var/run/sluice"
CONFIG_FOLDER = f"{RUN}/config"
ENDPOINTS_FOLDER = f"{RUN}/endpoints"
API_FOLDER = f"{RUN}/api"
"""token, ca.crt, namespace: how the gateway speaks to the API server."""
OPERATOR_FOLDER = f"{RUN}/operator"
"""token: audience TOKEN_AUDIENCE, for reports and relayed calls."""
STORE_FOLDER = f"{RUN}/store"
CA_FOLDER = f"{RUN}/ca"
TLS_FOLDER = f"{RUN}/tls"
FILES_FOLDER = f"{RUN}/files"
"""Batch files, of the shared gateway and the worker."""
DATA_FOLDER = "/data"
TOKEN_AUDIENCE = "sluice"  # noqa: S105  (an audience)

GATEWAY_PORT = 8080
GATEWAY_ADMIN_PORT = 8081
GATEWAY_TLS_PORT = 8443
"""The data port in TLS, of a shared gateway with `expose.tls`."""
SIDECAR_PORT = 15480
SIDECAR_CONTAINER = "sluice-gateway"

OPERATOR_NAME = "sluice-operator"
"""Deployment, ServiceAccount, Lease and webhook Service in the operator's namespace."""
REPORTS_NAME = "sluice-operator-reports"
"""Service of the leader's report port."""
TLS_SECRET = "sluice-operator-tls"  # noqa: S105  (a name)
WEBHOOK_CONFIGURATION = "sluice-inject"
