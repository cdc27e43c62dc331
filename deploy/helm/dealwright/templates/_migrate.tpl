{{/*
The migration of one service, before each install and upgrade. At that moment nothing else of this release
needs to exist, so the account and the policy it runs under are hooks too, one step earlier.
*/}}
{{- define "dealwright.hook" -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  # A failed Job stays for its log; the next try removes it.
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "dealwright.migrate" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
  {{- include "dealwright.hook" (dict "weight" "-10") | nindent 2 }}
automountServiceAccountToken: false
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
  {{- include "dealwright.hook" (dict "weight" "-10") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "dealwright.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    {{- include "dealwright.egressTo" (dict "ports" (list 53) "udp" true "to" .root.Values.networkPolicy.dns) | nindent 4 }}
    {{- include "dealwright.egressTo" .root.Values.networkPolicy.database | nindent 4 }}
    {{- include "dealwright.egressTo" .root.Values.networkPolicy.broker | nindent 4 }}
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
  {{- include "dealwright.hook" (dict "weight" "-5") | nindent 2 }}
spec:
  backoffLimit: {{ .service.migrate.backoffLimit }}
  activeDeadlineSeconds: {{ .service.migrate.activeDeadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "dealwright.labels" . | nindent 8 }}
      {{- with .service.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "dealwright.pod" . | nindent 6 }}
{{- end -}}
