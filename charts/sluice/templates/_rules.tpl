{{/* What the operator does in a namespace that it watches. */}}
{{- define "sluice.rules" -}}
- apiGroups: [sluice.dev]
  resources: [modelroutes, cachepolicies, quantisedmodels, batchwindows, promptaudits, sluicegateways]
  verbs: [get, list, watch]
- apiGroups: [sluice.dev]
  resources:
    - modelroutes/status
    - cachepolicies/status
    - quantisedmodels/status
    - batchwindows/status
    - promptaudits/status
    - sluicegateways/status
  verbs: [patch]
# It also lends gateways what it holds here: to read their ConfigMaps and their one Secret, by name.
- apiGroups: [""]
  resources: [configmaps, secrets, services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
# The volume of batch files is made and never changed or deleted.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
