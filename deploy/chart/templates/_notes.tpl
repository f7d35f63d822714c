{{/* One line for each value that is given, is not an error, and does nothing. */}}
{{- define "typemetal.withoutEffect" -}}
{{- $speaker := .Values.speaker -}}
{{- $frr := default dict $speaker.frr -}}
{{- $frrk8s := default dict .Values.frrk8s -}}
{{- range $component := list "controller" "speaker" }}
{{- $image := (index $.Values $component).image }}
{{- if include "typemetal.isMetalLBImage" $image }}
  {{ $component }}.image: {{ $image.repository }}:{{ $image.tag }} is MetalLB's; {{ include "typemetal.image" (list $ $component) }} runs instead
{{- end }}
{{- end }}
{{- if $frr.enabled }}
  speaker.frr: BGP and BFD are built in, with all that MetalLB has through FRR
{{- end }}
{{- if or $frrk8s.enabled $frrk8s.external }}
  frrk8s: BGP and BFD are built in, with all that MetalLB has through frr-k8s; remove its DaemonSet when nobody else uses it
{{- end }}
{{- if $speaker.bgpDebounceTimeout }}
  speaker.bgpDebounceTimeout: updates are sent at once
{{- end }}
{{- if hasKey $speaker "prometheus" }}
  speaker.prometheus: see prometheus.metricsPort
{{- end }}
{{- if hasKey .Values.prometheus "rbacProxy" }}
  prometheus.rbacProxy: there is no proxy; controller and speaker check tokens themselves (prometheus.metricsAuth)
{{- end }}
{{- if hasKey .Values "replicaCount" }}
  replicaCount: see controller.replicas
{{- end }}
{{- if hasKey .Values "networkPolicy" }}
  networkPolicy: see networkpolicies
{{- end }}
{{- if hasKey .Values "serviceMonitor" }}
  serviceMonitor: see prometheus.serviceMonitor
{{- end }}
{{- if hasKey .Values "psp" }}
  psp: Kubernetes has no PodSecurityPolicies any more
{{- end }}
{{- end -}}
