# The text of a fragment of SQL once for each type that it is about:
#
#   awk -f sql/each_type.awk src/type/framework_list.h sql/NN_..._type.sql
#
# These are the types in the list of frameworks, and before them those that a
# line "-- also: ..." of the fragment names.  @TYPE@ is the type; of one in the
# list, @LIKE@ is the built-in type that has its layout, two bits an element,
# @ELEMENTS@ and @UNKNOWN@ are its elements and its value of none.

FNR == NR && /^LQ_FRAMEWORK/ {
	split($0, word, /[^A-Za-z_0-9]+/)
	framework[++frameworks] = word[3]
}

FNR == NR && /^[ \t]+LQ_ELEMENT/ {
	split($0, word, /"/)
	n[frameworks]++
	elements[frameworks] = elements[frameworks] (n[frameworks] > 1 ? ", " : "") word[4]
	unknown[frameworks] = unknown[frameworks] (n[frameworks] > 1 ? " " : "") word[2] "?"
}

FNR != NR && /^-- also: / {
	also = substr($0, 10)
}

FNR != NR { text = text $0 "\n" }

function text_of(type)
{
	one = text
	gsub(/@TYPE@/, type, one)
	return one
}

END {
	others = split(also, other, " ")
	for (o = 1; o <= others; o++)
		printf "%s", text_of(other[o])
	for (f = 1; f <= frameworks; f++) {
		one = text_of(framework[f])
		gsub(/@LIKE@/, n[f] > 4 ? "int2" : "\"char\"", one)
		gsub(/@ELEMENTS@/, elements[f], one)
		gsub(/@UNKNOWN@/, unknown[f], one)
		printf "%s", one
	}
}
