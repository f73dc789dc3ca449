{{- define "rampart.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{/* What selects pods never changes: Kubernetes would refuse the upgrade. Of (dict "root" $ "part" "analysis"). */}}
{{- define "rampart.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "rampart.labels" -}}
{{ include "rampart.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "rampart.secretName" -}}
{{- .Values.existingSecret | default (include "rampart.name" .) -}}
{{- end -}}

{{/* One variable from the secret. Of (dict "root" $ "name" "RAMPART_SECRET" "key" "secret"). */}}
{{- define "rampart.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "rampart.secretName" .root }}
      key: {{ .key }}
{{- end -}}

{{/* The variables of a service. */}}
{{- define "rampart.env" -}}
{{- $values := .root.Values -}}
{{- if eq .part "front-door" }}
{{- $name := include "rampart.name" .root }}
{{- range $service := list "experiments" "assignment" "ingestion" "analysis" }}
- name: RAMPART_UPSTREAM_{{ upper $service }}
  value: http://{{ $name }}-{{ $service }}:8080
{{- end }}
{{- else }}
{{ include "rampart.secretEnv" (dict "root" .root "name" "RAMPART_SECRET" "key" "secret") }}
{{ include "rampart.secretEnv" (dict "root" .root "name" "RAMPART_ADMIN_KEY" "key" "admin-key") }}
- name: RAMPART_LOG_LEVEL
  value: {{ $values.log.level }}
{{- with $values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $values.tracing.ratio | quote }}
{{- end }}
{{- with $values.kafka.brokers }}
- name: KAFKA_BROKERS
  value: {{ . | quote }}
{{- end }}
{{- if or (eq .part "experiments") (not $values.kafka.brokers) }}
{{ include "rampart.secretEnv" (dict "root" .root "name" "RAMPART_DATABASE_URL" "key" "database-url") }}
{{- end }}
{{- if ne .part "experiments" }}
- name: RAMPART_LOG_PARTITIONS
  value: {{ $values.log.partitions | quote }}
{{- end }}
{{- if eq .part "analysis" }}
{{ include "rampart.secretEnv" (dict "root" .root "name" "RAMPART_CLICKHOUSE_URL" "key" "clickhouse-url") }}
- name: RAMPART_CLICKHOUSE_DATABASE
  value: {{ $values.clickhouse.database }}
{{- with $values.clickhouse.cluster }}
- name: RAMPART_CLICKHOUSE_CLUSTER
  value: {{ . }}
{{- end }}
- name: RAMPART_LOOK_INTERVAL_MS
  value: {{ $values.analysis.lookIntervalMs | quote }}
{{- end }}
{{- if eq .part "assignment" }}
- name: RAMPART_ASSIGNMENT_FOLDER
  value: /var/lib/rampart/assignment
- name: RAMPART_CORS_ORIGINS
  value: {{ $values.assignment.corsOrigins | quote }}
{{- end }}
{{- end }}
# Until the cluster has taken the pod out of its service.
- name: RAMPART_DRAIN_MS
  value: '5000'
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The pod of a service. Of (dict "root" $ "part" "analysis" "values" .Values.analysis). */}}
{{- define "rampart.pod" -}}
metadata:
  labels:
    {{- include "rampart.labels" . | nindent 4 }}
  annotations:
    {{- if not .root.Values.existingSecret }}
    # A changed secret is read at the next start: this makes it happen.
    checksum/secret: {{ toJson .root.Values.secrets | sha256sum }}
    {{- end }}
    {{- if and .root.Values.scrapeAnnotations (ne .part "front-door") }}
    prometheus.io/scrape: 'true'
    prometheus.io/port: '8080'
    prometheus.io/path: /metrics
    {{- end }}
    {{- with .root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "rampart.name" .root }}
  automountServiceAccountToken: false
  # Else the service of the release `rampart` puts a RAMPART_PORT of its own into every pod.
  enableServiceLinks: false
  # Five seconds go on as before, and services end in good order within ten.
  terminationGracePeriodSeconds: 20
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    seccompProfile: { type: RuntimeDefault }
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "rampart.selector" . | nindent 10 }}
  containers:
    - name: {{ .part }}
      image: '{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}'
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .part }}]
      env:
        {{- include "rampart.env" . | nindent 8 }}
      ports:
        - { name: http, containerPort: 8080 }
      # A migration at the first start may take its time.
      startupProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
        timeoutSeconds: 3
      # An engine that is away makes a service unready, not dead: a restart would mend nothing. The front door answers while any service does.
      readinessProbe:
        httpGet: { path: {{ if eq .part "front-door" }}/livez{{ else }}/readyz{{ end }}, port: http }
        periodSeconds: 3
        timeoutSeconds: 3
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if eq .part "assignment" }}
        - { name: spool, mountPath: /var/lib/rampart }
        {{- end }}
        {{- with .root.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - { name: tmp, emptyDir: {} }
    {{- with .root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
