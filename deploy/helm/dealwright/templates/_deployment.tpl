{{/* One role that stays up: Deployment, disruption budget, autoscaler. Input as for dealwright.pod. */}}
{{- define "dealwright.deployment" -}}
{{- $role := get .service .role -}}
{{- $scale := $role.autoscaling -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
spec:
  {{- if not $scale.enabled }}
  replicas: {{ $role.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }
  selector:
    matchLabels:
      {{- include "dealwright.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "dealwright.labels" . | nindent 8 }}
      annotations:
        checksum/settings: {{ include "dealwright.environment" .root | sha256sum }}
        {{- with .service.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "dealwright.pod" . | nindent 6 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  # A pod that never became ready must not block the draining of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "dealwright.selector" . | nindent 6 }}
{{- if $scale.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "dealwright.fullname" .root }}-{{ .name }}-{{ .role }}
  minReplicas: {{ $scale.minReplicas }}
  maxReplicas: {{ $scale.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ $scale.targetCPUUtilization }} }
{{- end }}
{{- end -}}
