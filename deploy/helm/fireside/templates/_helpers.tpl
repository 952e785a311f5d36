{{- define "fireside.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What tells the parts of one release apart; called with a list of the root and the part's name. */ -}}
{{- define "fireside.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "fireside.labels" -}}
{{- $root := index . 0 -}}
{{ include "fireside.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* The image of a part, with the chart's version where no tag is named. */ -}}
{{- define "fireside.image" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{ printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) | quote }}
{{- end -}}

{{- define "fireside.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end -}}

{{- define "fireside.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "fireside.fromSecret" -}}
valueFrom: {secretKeyRef: {name: {{ index . 0 }}, key: {{ index . 1 }}}}
{{- end -}}

{{- define "fireside.natsUrl" -}}
{{- if .Values.nats.bundled -}}
{{- $name := printf "%s-nats" (include "fireside.fullname" .) -}}
{{- $urls := list -}}
{{- range $i := until (int .Values.nats.replicas) -}}
{{- $urls = append $urls (printf "nats://%s-%d.%s:4222" $name $i $name) -}}
{{- end -}}
{{- join "," $urls -}}
{{- else -}}
{{- required "nats.url: the NATS servers, where nats.bundled is false" .Values.nats.url -}}
{{- end -}}
{{- end -}}

{{- /* A setting as its variable holds it; lists have line ends between their values. */ -}}
{{- define "fireside.settingValue" -}}
{{- if kindIs "slice" . -}}{{ join "\n" . | quote }}{{- else if kindIs "float64" . -}}{{ . | toJson | quote }}{{- else -}}{{ . | toString | quote }}{{- end -}}
{{- end -}}

{{- /* The setting `pools`: what the servers count for KEDA. */ -}}
{{- define "fireside.pools" -}}
{{- $pools := list -}}
{{- range . -}}
{{- $pools = append $pools (printf "%s=%v..%v" .name (default 0 .minReplicas) .maxReplicas) -}}
{{- end -}}
{{- join "," $pools -}}
{{- end -}}

{{- define "fireside.serverEnv" -}}
{{- $secret := required "existingSecret: the Secret with the keys that values.yaml names" .Values.existingSecret -}}
- name: FIRESIDE_HOST
  value: "0.0.0.0"
- name: FIRESIDE_PORT
  value: {{ .Values.server.port | quote }}
- name: FIRESIDE_DATA_DIR
  value: /var/lib/fireside
- name: FIRESIDE_LOG_FORMAT
  value: json
- name: FIRESIDE_DRAIN_SECONDS
  value: {{ .Values.server.drainSeconds | quote }}
- name: FIRESIDE_SECRET_KEY
  {{- include "fireside.fromSecret" (list $secret "secret-key") | nindent 2 }}
- name: FIRESIDE_METRICS_TOKEN
  {{- include "fireside.fromSecret" (list $secret "metrics-token") | nindent 2 }}
{{- if .Values.postgresql.bundled }}
- name: FIRESIDE_DATABASE_URL
  value: postgresql://fireside@{{ include "fireside.fullname" . }}-postgresql/fireside
- name: PGPASSWORD
  {{- include "fireside.fromSecret" (list $secret "postgresql-password") | nindent 2 }}
{{- else }}
- name: FIRESIDE_DATABASE_URL
  {{- include "fireside.fromSecret" (list $secret "database-url") | nindent 2 }}
{{- end }}
- name: FIRESIDE_NATS_URL
  value: {{ include "fireside.natsUrl" . | quote }}
{{- if and (not .Values.nats.bundled) .Values.nats.hasAccountSeed }}
- name: FIRESIDE_NATS_ACCOUNT_SEED
  {{- include "fireside.fromSecret" (list $secret "nats-account-seed") | nindent 2 }}
{{- end }}
- name: FIRESIDE_BLOBS_URL
  value: {{ required "blobs.url: the bucket that the servers share, such as s3://fireside/files" .Values.blobs.url | quote }}
{{- if .Values.blobs.endpoint }}
- name: FIRESIDE_BLOBS_ENDPOINT
  value: {{ .Values.blobs.endpoint | quote }}
{{- end }}
{{- if .Values.blobs.publicEndpoint }}
- name: FIRESIDE_BLOBS_PUBLIC_ENDPOINT
  value: {{ .Values.blobs.publicEndpoint | quote }}
{{- end }}
{{- if .Values.server.publicUrl }}
- name: FIRESIDE_PUBLIC_URL
  value: {{ .Values.server.publicUrl | quote }}
{{- end }}
{{- with .Values.workers.pools }}
- name: FIRESIDE_POOLS
  value: {{ include "fireside.pools" . | quote }}
{{- end }}
{{- range $name, $value := .Values.server.settings }}
- name: FIRESIDE_{{ upper $name }}
  value: {{ include "fireside.settingValue" $value }}
{{- end }}
{{- range $name, $of := .Values.server.secretSettings }}
- name: FIRESIDE_{{ upper $name }}
  {{- include "fireside.fromSecret" (list $of.name $of.key) | nindent 2 }}
{{- end }}
{{- with .Values.server.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
