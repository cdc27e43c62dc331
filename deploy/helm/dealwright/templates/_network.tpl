{{/* One egress rule. Input: ports, to (peers), udp (also over UDP). */}}
{{- define "dealwright.egressTo" -}}
- ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ . }} }
    {{- if $.udp }}
    - { protocol: UDP, port: {{ . }} }
    {{- end }}
    {{- end }}
  to:
    {{- toYaml .to | nindent 4 }}
{{- end -}}

{{- define "dealwright.podsOf" -}}
- podSelector:
    matchLabels:
      {{- include "dealwright.selector" . | nindent 6 }}
{{- end -}}

{{/*
The doors of one role. Input as for dealwright.pod. A serve pod is called by the front and by the services that
name it as a peer, and calls its own peers; a work pod speaks to no service at all.
*/}}
{{- define "dealwright.networkPolicy" -}}
{{- $root := .root -}}
{{- $policy := $root.Values.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "dealwright.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- with $policy.prometheus }}
    - ports: [{ protocol: TCP, port: 9464 }]
      from:
        {{- toYaml . | nindent 8 }}
    {{- end }}
    {{- if eq .role "serve" }}
    {{- if .service.front }}
    - ports: [{ protocol: TCP, port: 8080 }, { protocol: TCP, port: 50051 }]
      {{- with $policy.clients }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- if .callers }}
    - ports: [{ protocol: TCP, port: 50051 }]
      from:
        {{- range .callers }}
        {{- include "dealwright.podsOf" (dict "root" $root "name" . "role" "serve") | nindent 8 }}
        {{- end }}
    {{- end }}
    {{- end }}
  egress:
    {{- include "dealwright.egressTo" (dict "ports" (list 53) "udp" true "to" $policy.dns) | nindent 4 }}
    {{- if .service.database.enabled }}
    {{- include "dealwright.egressTo" $policy.database | nindent 4 }}
    {{- end }}
    {{- include "dealwright.egressTo" $policy.broker | nindent 4 }}
    {{- include "dealwright.egressTo" $policy.redis | nindent 4 }}
    {{- if $root.Values.otlpEndpoint }}
    {{- include "dealwright.egressTo" $policy.telemetry | nindent 4 }}
    {{- end }}
    {{- if and (eq .role "serve") .callees }}
    - ports: [{ protocol: TCP, port: 50051 }]
      to:
        {{- range .callees }}
        {{- include "dealwright.podsOf" (dict "root" $root "name" . "role" "serve") | nindent 8 }}
        {{- end }}
    {{- end }}
    {{- with .service.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
