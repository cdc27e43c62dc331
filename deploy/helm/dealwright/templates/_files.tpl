{{/* The volume with a service's files. Input as for dealwright.pod, without a role. */}}
{{- define "dealwright.filesClaim" -}}
{{ default (printf "%s-%s-files" (include "dealwright.fullname" .root) .name) .service.files.existingClaim }}
{{- end -}}

{{- define "dealwright.files" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "dealwright.metadata" . | nindent 2 }}
  annotations:
    # What customers gave us does not go with a release.
    helm.sh/resource-policy: keep
spec:
  accessModes: {{ toJson .service.files.accessModes }}
  {{- with .service.files.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources: { requests: { storage: {{ .service.files.size }} } }
{{- end -}}
