{{/*
Names and labels. MetalLB's chart names everything by its release and "metallb"; so does this one, so that a release can change its
chart and keep its objects. With naming=plain they are those of MetalLB's manifests.
*/}}
{{- define "typemetal.name" -}}
{{- default "metallb" .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "typemetal.fullname" -}}
{{- $name := include "typemetal.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if or (contains $name .Release.Name) (contains .Chart.Name .Release.Name) -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "typemetal.plain" -}}
{{- if eq .Values.naming "plain" }}true{{ end -}}
{{- end -}}

{{/* Name of an object in the namespace; of (list root "speaker"). */}}
{{- define "typemetal.object" -}}
{{- $root := index . 0 -}}
{{- if include "typemetal.plain" $root -}}
{{- index . 1 -}}
{{- else -}}
{{- printf "%s-%s" (include "typemetal.fullname" $root) (index . 1) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of an object of the whole cluster; of (list root "speaker"). */}}
{{- define "typemetal.clusterObject" -}}
{{- $root := index . 0 -}}
{{- $prefix := ternary $root.Release.Namespace (include "typemetal.fullname" $root) (eq $root.Values.naming "plain") -}}
{{- printf "%s:%s" $prefix (index . 1) -}}
{{- end -}}

{{- define "typemetal.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- $account := (index $root.Values (index . 1)).serviceAccount -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "typemetal.object" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "typemetal.memberlistSecret" -}}
{{- if .Values.speaker.secretName -}}
{{- .Values.speaker.secretName -}}
{{- else -}}
{{- include "typemetal.object" (list . "memberlist") -}}
{{- end -}}
{{- end -}}

{{/* By which a workload finds its Pods; of (list root "speaker"). Never changed: Kubernetes does not let it. */}}
{{- define "typemetal.selectorLabels" -}}
{{- $root := index . 0 -}}
{{- if include "typemetal.plain" $root -}}
app: {{ include "typemetal.name" $root }}
component: {{ index . 1 }}
{{- else -}}
app.kubernetes.io/name: {{ include "typemetal.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}
{{- end -}}

{{/* Labels of what belongs to no component; of the root. */}}
{{- define "typemetal.commonLabels" -}}
{{- if include "typemetal.plain" . -}}
app: {{ include "typemetal.name" . }}
{{- else -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "typemetal.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
{{- end -}}

{{/* Labels of an object of a component; of (list root "speaker"). */}}
{{- define "typemetal.labels" -}}
{{- include "typemetal.commonLabels" (index . 0) }}
{{ if include "typemetal.plain" (index . 0) -}}
component: {{ index . 1 }}
{{- else -}}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}
{{- end -}}

{{/* By which speakers find each other's Pods, those of MetalLB's release of that name included. */}}
{{- define "typemetal.memberLabels" -}}
{{- $name := include "typemetal.name" . -}}
{{- if include "typemetal.plain" . -}}
app={{ $name }},component=speaker
{{- else -}}
app.kubernetes.io/name={{ $name }},app.kubernetes.io/component=speaker
{{- end -}}
{{- end -}}
