{{/* Labels of every object. */}}
{{- define "sluice.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluice
{{ include "sluice.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What selects the operator's pods. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Metadata of an object: (dict "root" $ "name" text "namespace" text "labels" map "annotations" map). */}}
{{- define "sluice.metadata" -}}
name: {{ .name }}
{{- if .namespace }}
namespace: {{ .namespace }}
{{- end }}
labels:
  {{- include "sluice.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (deepCopy .root.Values.commonAnnotations) (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A reference with the registry before it: (dict "root" $ "reference" text). */}}
{{- define "sluice.reference" -}}
{{- with .root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .reference }}
{{- end }}

{{/* The same for one of our own images, which has the chart's version where it names no tag and no digest. */}}
{{- define "sluice.ownReference" -}}
{{- $own := .reference -}}
{{- if not (regexMatch "[:@]" (splitList "/" $own | last)) }}{{ $own = printf "%s:%s" $own .root.Chart.AppVersion }}{{ end }}
{{- include "sluice.reference" (dict "root" .root "reference" $own) }}
{{- end }}

{{/* The operator's image. */}}
{{- define "sluice.image" -}}
{{- $image := .Values.image -}}
{{- $version := ternary (printf "@%s" $image.digest) (printf ":%s" ($image.tag | default .Chart.AppVersion)) (ne $image.digest "") -}}
{{- include "sluice.reference" (dict "root" . "reference" (printf "%s%s" $image.repository $version)) }}
{{- end }}

{{/* Pod security: what the profile "restricted" asks for. */}}
{{- define "sluice.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "sluice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}
