/*
 * framework_list.h
 *		The frameworks that are types, and columns of a lead, and their
 *		elements.
 *
 * This is the only list of them: C and SQL of each type are made from it.
 * There is no #include guard on purpose: who includes it defines LQ_FRAMEWORK
 * first.
 *
 * LQ_FRAMEWORK(symbol, name, since, elements)
 *		name is that of the framework, of its type and of its column.  since is
 *		the template version that brought the column: a later one stands below
 *		an earlier one.  An element is its symbol in canonical text and its long
 *		name, one a line (sql/each_type.awk reads them, too), in the
 *		order of bits and of output, which is frozen.
 */
/* *INDENT-OFF* */

LQ_FRAMEWORK(BANT, bant, 1,
			 LQ_ELEMENT("B", "budget"),
			 LQ_ELEMENT("A", "authority"),
			 LQ_ELEMENT("N", "need"),
			 LQ_ELEMENT("T", "timeline"))

LQ_FRAMEWORK(MEDDIC, meddic, 1,
			 LQ_ELEMENT("M", "metrics"),
			 LQ_ELEMENT("E", "economic_buyer"),
			 LQ_ELEMENT("DC", "decision_criteria"),
			 LQ_ELEMENT("DP", "decision_process"),
			 LQ_ELEMENT("I", "identify_pain"),
			 LQ_ELEMENT("C", "champion"))

/* two elements more, in the middle: it shares no bits with meddic */
LQ_FRAMEWORK(MEDDPICC, meddpicc, 1,
			 LQ_ELEMENT("M", "metrics"),
			 LQ_ELEMENT("E", "economic_buyer"),
			 LQ_ELEMENT("DC", "decision_criteria"),
			 LQ_ELEMENT("DP", "decision_process"),
			 LQ_ELEMENT("PP", "paper_process"),
			 LQ_ELEMENT("I", "identify_pain"),
			 LQ_ELEMENT("C", "champion"),
			 LQ_ELEMENT("CO", "competition"))

/* *INDENT-ON* */

#undef LQ_FRAMEWORK
