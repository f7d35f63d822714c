{{/* Arguments of both programs; of (list root "speaker"). */}}
{{- define "typemetal.args" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
{{- $tls := $root.Values.tls -}}
- --port={{ $root.Values.prometheus.metricsPort }}
{{- with include "typemetal.probePort" $values }}
- --health-probe-port={{ . }}
{{- end }}
{{- with $values.logLevel }}
- --log-level={{ . }}
{{- end }}
{{- with $root.Values.loadBalancerClass }}
- --lb-class={{ . }}
{{- end }}
{{- if $root.Values.prometheus.metricsAuth }}
- --metrics-auth
{{- end }}
{{- if $root.Values.statusPage.enabled }}
- --status-port={{ $root.Values.statusPage.port }}
{{- end }}
{{- with $tls.cipherSuites }}
- --tls-cipher-suites={{ . }}
{{- end }}
{{- with $tls.curvePreferences }}
- --tls-curve-preferences={{ . }}
{{- end }}
{{- with $tls.minVersion }}
- --tls-min-version={{ . }}
{{- end }}
{{- if include "typemetal.metricsSecret" . }}
- --metrics-cert-dir=/etc/metrics
{{- end }}
{{- end -}}

{{/* Secret with the certificate of a component's metrics; before MetalLB 0.16 its name was a value of prometheus. */}}
{{- define "typemetal.metricsSecret" -}}
{{- $root := index . 0 -}}
{{- $key := printf "%sMetricsTLSSecret" (index . 1) -}}
{{- index $root.Values.tls $key | default (index $root.Values.prometheus $key) | default "" -}}
{{- end -}}

{{/* Where a component answers probes, by one that is asked; of the component's values. */}}
{{- define "typemetal.probePort" -}}
{{- ternary .livenessProbe.port .readinessProbe.port (or .livenessProbe.enabled (not .readinessProbe.enabled)) -}}
{{- end -}}

{{/* A probe without its address; of the probe's values. */}}
{{- define "typemetal.probe" -}}
failureThreshold: {{ .failureThreshold }}
initialDelaySeconds: {{ .initialDelaySeconds }}
periodSeconds: {{ .periodSeconds }}
successThreshold: {{ .successThreshold }}
timeoutSeconds: {{ .timeoutSeconds }}
{{- end -}}

{{/* Both probes of a container; of (list root "speaker" "host: 127.0.0.1"). */}}
{{- define "typemetal.probes" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- $host := index . 2 -}}
{{- if $values.livenessProbe.enabled }}
livenessProbe:
  httpGet:
    path: /healthz
    port: {{ $values.livenessProbe.port }}
    {{- with $host }}
    {{ . }}
    {{- end }}
  {{- include "typemetal.probe" $values.livenessProbe | nindent 2 }}
{{- end }}
{{- if $values.readinessProbe.enabled }}
readinessProbe:
  httpGet:
    path: /readyz
    port: {{ $values.readinessProbe.port }}
    {{- with $host }}
    {{ . }}
    {{- end }}
  {{- include "typemetal.probe" $values.readinessProbe | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Metadata of a Pod; of (list root "speaker"). */}}
{{- define "typemetal.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
labels:
  {{- include "typemetal.selectorLabels" . | nindent 2 }}
  {{- with $values.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or $values.podAnnotations $root.Values.prometheus.scrapeAnnotations }}
annotations:
  {{- if $root.Values.prometheus.scrapeAnnotations }}
  {{- include "typemetal.scrapeAnnotations" . | nindent 2 }}
  {{- end }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* How a component serves its metrics: over TLS when any of its arguments is about TLS or tokens; of (list root "speaker"). */}}
{{- define "typemetal.scheme" -}}
{{- $values := (index . 0).Values -}}
{{- $tls := $values.tls -}}
{{- $secret := include "typemetal.metricsSecret" . -}}
{{- $secure := or $values.prometheus.metricsAuth $tls.cipherSuites $tls.curvePreferences $tls.minVersion $secret -}}
{{- ternary "https" "http" (not (empty $secure)) -}}
{{- end -}}

{{/* Of (list root "speaker"). */}}
{{- define "typemetal.scrapeAnnotations" -}}
prometheus.io/scrape: 'true'
prometheus.io/scheme: {{ include "typemetal.scheme" . }}
prometheus.io/port: {{ (index . 0).Values.prometheus.metricsPort | quote }}
{{- end -}}

{{/* What a Pod says about where and how it runs; of (list root "speaker"). */}}
{{- define "typemetal.scheduling" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
serviceAccountName: {{ include "typemetal.serviceAccount" . }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
nodeSelector:
  kubernetes.io/os: linux
  {{- with $values.nodeSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
