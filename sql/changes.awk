# What of an install script another one does not have yet:
#
#   awk -f sql/changes.awk old.sql new.sql
#
# An update script is made of it: a function that is new or changed is created
# or replaced, a comment is made again.  Each statement begins a line with one
# of these words, and nothing within a statement does.  What is called at the
# end of the script, to prove what it created, is always called.

function take() {
	if (statement == "")
		return
	if (scripts_read == 1)
		known[statement] = 1
	else if (!(statement in known) || statement ~ /^SELECT/) {
		sub(/^CREATE FUNCTION/, "CREATE OR REPLACE FUNCTION", statement)
		printf "%s", statement
	}
	statement = ""
}

FNR == 1 {
	take()
	scripts_read++
}

/^(--|\\)/ { next }

/^(CREATE|COMMENT ON|ALTER|SELECT|GRANT|REVOKE)([^A-Za-z_]|$)/ { take() }

{ statement = statement $0 "\n" }

END { take() }
