{{/* Label by which Prometheus names its job; the usual one is not there with naming=plain. Of (list root jobLabel). */}}
{{- define "typemetal.jobLabel" -}}
{{- $root := index . 0 -}}
{{- if and (include "typemetal.plain" $root) (eq (index . 1) "app.kubernetes.io/name") -}}
component
{{- else -}}
{{- index . 1 -}}
{{- end -}}
{{- end -}}

{{/* How an endpoint is scraped; of (list root monitor "speaker"). */}}
{{- define "typemetal.scrape" -}}
{{- $monitor := index . 1 -}}
scheme: {{ include "typemetal.scheme" (list (index . 0) (index . 2)) }}
{{- with $monitor.interval }}
interval: {{ . }}
{{- end }}
{{- with $monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $monitor.relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
