{{- define "dealwright.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where people reach the web client. */}}
{{- define "dealwright.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{ trimSuffix "/" .Values.publicUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.host -}}
https://{{ .Values.ingress.host }}
{{- else -}}
http://127.0.0.1:8080
{{- end -}}
{{- end -}}

{{/* What selects pods; never changes over the life of a release. */}}
{{- define "dealwright.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .name }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .role }}
dealwright/role: {{ . }}
{{- end }}
{{- end -}}

{{- define "dealwright.labels" -}}
{{ include "dealwright.selector" . }}
app.kubernetes.io/part-of: dealwright
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* metadata of anything that belongs to one service; .suffix names the thing */}}
{{- define "dealwright.metadata" -}}
name: {{ include "dealwright.fullname" .root }}{{ with .name }}-{{ . }}{{ end }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "dealwright.labels" . | nindent 2 }}
{{- end -}}

{{- define "dealwright.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}
