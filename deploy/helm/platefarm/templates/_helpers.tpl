{{- define "platefarm.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "platefarm.scheduler" -}}
{{ include "platefarm.name" . }}-scheduler
{{- end -}}

{{- define "platefarm.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* Labels of everything; the first three select. */}}
{{- define "platefarm.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "platefarm.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Every scheduler by its own name: whoever calls follows the one that leads. */}}
{{- define "platefarm.farm" -}}
{{- $service := include "platefarm.scheduler" . -}}
{{- $namespace := .Release.Namespace -}}
{{- $urls := list -}}
{{- range $i := until (int .Values.scheduler.replicas) -}}
{{- $urls = append $urls (printf "https://%s-%d.%s.%s.svc:7878" $service $i $service $namespace) -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}

{{/* A size as workers take it, such as 12G, in MiB. */}}
{{- define "platefarm.mib" -}}
{{- $n := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[KMGT]$" . -}}
{{- if eq $unit "T" }}{{ mul $n 1048576 }}
{{- else if eq $unit "G" }}{{ mul $n 1024 }}
{{- else if eq $unit "M" }}{{ $n }}
{{- else if eq $unit "K" }}{{ div $n 1024 }}
{{- else }}{{ div $n 1048576 }}
{{- end -}}
{{- end -}}

{{/* What the workers of a set will say of themselves, as the scheduler's scaler reads it, so that only work is counted that they can take. */}}
{{- define "platefarm.kind" -}}
{{- $labels := concat (list "os=linux") (ternary (list "gpu") list (eq .class "gpu")) (.labels | default list) -}}
{{- $kind := dict "class" .class "slots" (.slots | default 1 | int | toString) "labels" (join "," $labels) "maxWorkers" (.maxReplicas | int | toString) -}}
{{- with .pools -}}
{{- $_ := set $kind "pools" (join "," .) -}}
{{- end -}}
{{- with .slotMemory -}}
{{- $_ := set $kind "memoryMib" (include "platefarm.mib" .) -}}
{{- end -}}
{{- toJson $kind -}}
{{- end -}}

{{/* No root, no new rights, nothing written but where a volume is. */}}
{{- define "platefarm.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "platefarm.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What tasks may touch, as JSON. A worker without a root may touch whatever its user may, and one without a bucket's
     root no bucket: neither is what anybody asked for. */}}
{{- define "platefarm.roots" -}}
{{- $roots := .Values.roots | default list -}}
{{- if not $roots -}}
{{- range .Values.volumes -}}{{- $roots = append $roots .mountPath -}}{{- end -}}
{{- end -}}
{{- if not $roots -}}
{{- fail "roots: tasks have nothing that they may read and write; name volumes, or paths and s3://BUCKET/PREFIX in roots" -}}
{{- end -}}
{{- $buckets := 0 -}}
{{- range $roots -}}{{- if hasPrefix "s3://" . -}}{{- $buckets = add1 $buckets -}}{{- end -}}{{- end -}}
{{- if and .Values.s3.enabled (not $buckets) -}}
{{- fail "roots: s3.enabled asks for buckets, and no root is one; name them in roots as s3://BUCKET/PREFIX, beside the mount paths" -}}
{{- end -}}
{{- toJson $roots -}}
{{- end -}}
