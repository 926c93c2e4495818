# The SQL of every qualification type, each in the place of the one text:
#
#   awk -f sql/qualification_types.awk src/type/framework_list.h sql/11_qualification_type.sql
#
# @TYPE@ is the type, @LIKE@ the built-in one that has its layout: two bits an
# element; @ELEMENTS@ and @UNKNOWN@ are its elements, and its value of none.

/^LQ_FRAMEWORK/ {
	split($0, word, /[^A-Za-z_0-9]+/)
	type[++types] = word[3]
	next
}

/^[ \t]+LQ_ELEMENT/ {
	split($0, word, /"/)
	n[types]++
	elements[types] = elements[types] (n[types] > 1 ? ", " : "") word[4]
	unknown[types] = unknown[types] (n[types] > 1 ? " " : "") word[2] "?"
	next
}

FNR != NR { text = text $0 "\n" }

END {
	for (t = 1; t <= types; t++) {
		one = text
		gsub(/@TYPE@/, type[t], one)
		gsub(/@LIKE@/, n[t] > 4 ? "int2" : "\"char\"", one)
		gsub(/@ELEMENTS@/, elements[t], one)
		gsub(/@UNKNOWN@/, unknown[t], one)
		printf "%s", one
	}
}
