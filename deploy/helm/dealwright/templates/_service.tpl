{{/* What one service has besides its roles: account and addresses. Input: root, name, service. */}}
{{- define "dealwright.addresses" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- if .service.serve.enabled }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
  {{- if .service.front }}
  {{- with .root.Values.frontService.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  {{- if .service.front }}
  type: {{ .root.Values.frontService.type }}
  {{- else }}
  # Headless: a gRPC channel lives long, so the client itself must see every pod to spread its calls.
  clusterIP: None
  {{- end }}
  selector:
    {{- include "dealwright.selector" (merge (dict "role" "serve") .) | nindent 4 }}
  ports:
    - { name: grpc, port: 50051, targetPort: grpc, appProtocol: kubernetes.io/h2c }
    {{- if .service.front }}
    - { name: http, port: 8080, targetPort: http, appProtocol: http }
    {{- end }}
{{- end }}
---
# Metrics have a Service of their own, so that the front one never carries them outside.
apiVersion: v1
kind: Service
metadata:
  {{- include "dealwright.metadata" (merge (dict "suffix" "metrics") .) | nindent 2 }}
    dealwright/metrics: "true"
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "dealwright.selector" . | nindent 4 }}
  ports:
    - { name: metrics, port: 9464, targetPort: metrics }
{{- end -}}
