# Sourced by the scripts in this folder: progress with times, and a command
# that dies with the script that started it.

# say TEXT...: one line to the reader
say() { printf '%s\n' "$*"; }

# seconds_since START, where START is $EPOCHREALTIME at the start
seconds_since() {
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'
}

# step TITLE COMMAND...: run it out of sight and say how long it took; show
# what it printed only if it failed
step() {
	local title=$1 start=$EPOCHREALTIME output status=0
	shift
	printf '%-56s ' "$title ..."
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" = 0 ]; then
		say "$(seconds_since "$start")"
	else
		say "FAILED after $(seconds_since "$start")"
		say "$output" >&2
	fi
	return "$status"
}

# guarded LIMIT COMMAND...: run it in a process group of its own, at most LIMIT
# seconds.  end_guarded, for the EXIT trap, ends the whole group: Ctrl-C does
# not reach it, and bash would run no trap while it waits for a foreground
# command.
guarded_pid=
guarded() {
	local limit=$1 status=0
	shift
	timeout -k 20 "$limit" "$@" </dev/null &
	guarded_pid=$!
	wait "$guarded_pid" || status=$?
	guarded_pid=
	if [ "$status" = 124 ]; then say "stopped after $limit seconds" >&2; fi
	return "$status"
}

end_guarded() {
	if [ -n "$guarded_pid" ]; then
		kill -TERM "$guarded_pid" 2>/dev/null || true
		wait "$guarded_pid" 2>/dev/null || true
		guarded_pid=
	fi
}

# stop_servers FOLDER: end every server whose data lie in it
stop_servers() {
	local file pid
	while IFS= read -r -d '' file; do
		read -r pid <"$file" || continue
		kill -QUIT "$pid" 2>/dev/null || continue
		for _ in $(seq 50); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
	done < <(find "$1" -name postmaster.pid -print0 2>/dev/null)
}
