{{/*
The pod of any role. Input: root, name (service), service (its merged values), role (serve | work | migrate).
*/}}

{{/* Plain settings that all services share. Secrets are never here. */}}
{{- define "dealwright.environment" -}}
DEALWRIGHT_COMPANY_TIME_ZONE: {{ .Values.companyTimeZone | quote }}
DEALWRIGHT_LOG_LEVEL: {{ .Values.logLevel | upper }}
DEALWRIGHT_PRODUCTION: {{ .Values.production | quote }}
DEALWRIGHT_DRAIN_SECONDS: {{ .Values.drainSeconds | quote }}
DEALWRIGHT_PUBLIC_URL: {{ include "dealwright.publicUrl" . | quote }}
{{- with .Values.trustedProxies }}
DEALWRIGHT_TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
DEALWRIGHT_HOST: 0.0.0.0
DEALWRIGHT_DATA: /tmp/dealwright
DEALWRIGHT_GRPC_PORT: "50051"
DEALWRIGHT_HTTP_PORT: "8080"
DEALWRIGHT_METRICS_PORT: "9464"
{{- with .Values.otlpEndpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- range $name, $own := .Values.services }}
{{- if dig "serve" "enabled" $.Values.serviceDefaults.serve.enabled (default dict $own) }}
DEALWRIGHT_PEER_{{ $name | upper | replace "-" "_" }}: "{{ include "dealwright.fullname" $ }}-{{ $name }}:50051"
{{- end }}
{{- end }}
{{- end -}}

{{- define "dealwright.secretEnv" -}}
- name: {{ .env }}
  valueFrom:
    secretKeyRef:
      name: {{ default .root.Values.existingSecret .ref.existingSecret }}
      key: {{ default .key .ref.key }}
      {{- if .ref.optional }}
      optional: true
      {{- end }}
{{- end -}}

{{- define "dealwright.containerEnv" -}}
{{- $root := .root -}}
{{- include "dealwright.secretEnv" (dict "root" $root "env" "DEALWRIGHT_TOKEN_KEY" "ref" $root.Values.tokenKey) }}
{{- if .service.database.enabled }}
{{ include "dealwright.secretEnv" (dict "root" $root "env" "DEALWRIGHT_DATABASE_URL" "ref" .service.database "key" (printf "%s-database-url" .name)) }}
{{- end }}
{{- /* A migration declares the service's queues too, so that nothing is announced before they are there. */ -}}
{{ include "dealwright.secretEnv" (dict "root" $root "env" "DEALWRIGHT_BROKER_URL" "ref" $root.Values.broker) | nindent 0 }}
- name: DEALWRIGHT_SERVICE
  value: {{ .name | quote }}
{{- if ne .role "migrate" }}
{{ include "dealwright.secretEnv" (dict "root" $root "env" "DEALWRIGHT_REDIS_URL" "ref" $root.Values.redis) }}
{{- end }}
{{- range $env, $ref := .service.secretEnv }}
{{ include "dealwright.secretEnv" (dict "root" $root "env" $env "ref" $ref) }}
{{- end }}
{{- $plain := mergeOverwrite (deepCopy .service.env) (get .service .role).env }}
{{- if and .service.files.enabled (eq .role "serve") }}
{{- $plain = set $plain "DEALWRIGHT_FILES_URL" "/files" }}
{{- end }}
{{- /* The hook runs before the ConfigMap of this release exists, so it carries the settings itself. */ -}}
{{- if eq .role "migrate" }}
{{- $plain = mergeOverwrite (include "dealwright.environment" $root | fromYaml) $plain }}
{{- end }}
{{- range $env, $value := $plain }}
- name: {{ $env }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/*
Alive is asked over HTTP in every role: it means "the process answers", so a database that is away empties the
endpoints (ready) and restarts nothing (alive). Ready is asked in the protocol that the role serves.
*/}}
{{- define "dealwright.probes" -}}
{{- $port := ternary "http" "metrics" (and .service.front (eq .role "serve")) -}}
startupProbe:
  httpGet: { path: /healthz, port: {{ $port }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: {{ $port }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  {{- if and (eq .role "serve") (not .service.front) }}
  grpc: { port: 50051 }
  {{- else }}
  httpGet: { path: /readyz, port: {{ $port }} }
  {{- end }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{- define "dealwright.ports" -}}
{{- if eq .role "serve" }}
- { name: grpc, containerPort: 50051 }
{{- if .service.front }}
- { name: http, containerPort: 8080 }
{{- end }}
{{- end }}
- { name: metrics, containerPort: 9464 }
{{- end -}}

{{- define "dealwright.pod" -}}
{{- $role := get .service .role -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ include "dealwright.fullname" .root }}-{{ .name }}{{ if eq .role "migrate" }}-migrate{{ end }}
automountServiceAccountToken: false
# Else the kubelet adds DEALWRIGHT_<SERVICE>_PORT=tcp://… for each Service, under our own prefix.
enableServiceLinks: false
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- if eq .role "migrate" }}
restartPolicy: Never
{{- else }}
terminationGracePeriodSeconds: {{ add $values.preStopSeconds $values.drainSeconds 10 }}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "dealwright.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- with .service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .role }}
    image: {{ include "dealwright.image" .root }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: [{{ .role }}, {{ .name }}]
    {{- if ne .role "migrate" }}
    envFrom:
      - configMapRef: { name: {{ include "dealwright.fullname" .root }} }
    {{- end }}
    env:
      {{- include "dealwright.containerEnv" . | nindent 6 }}
    {{- if ne .role "migrate" }}
    ports:
      {{- include "dealwright.ports" . | trim | nindent 6 }}
    {{- include "dealwright.probes" . | nindent 4 }}
    lifecycle:
      # The endpoints forget this pod first; only then does it hear of the stop.
      preStop: { exec: { command: [sleep, "{{ $values.preStopSeconds }}"] } }
    {{- end }}
    resources:
      {{- toYaml $role.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    volumeMounts:
      - { name: tmp, mountPath: /tmp }
      {{- if and .service.files.enabled (eq .role "serve") }}
      - { name: files, mountPath: /files }
      {{- end }}
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
  {{- if and .service.files.enabled (eq .role "serve") }}
  - name: files
    persistentVolumeClaim:
      claimName: {{ include "dealwright.filesClaim" . }}
  {{- end }}
{{- end -}}
