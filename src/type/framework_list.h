/*
 * framework_list.h
 *		The frameworks that are types, and columns of a lead.
 *
 * This is the only list of them.  There is no #include guard on purpose: who
 * includes it defines LQ_FRAMEWORK first.
 *
 * LQ_FRAMEWORK(symbol, name, since)
 *		name is that of the framework, of its type and of its column; lq_<name>
 *		describes it.  since is the template version that brought the column: a
 *		later one stands below an earlier one.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
/* *INDENT-OFF* */

LQ_FRAMEWORK(BANT, bant, 1)
LQ_FRAMEWORK(MEDDIC, meddic, 1)
LQ_FRAMEWORK(MEDDPICC, meddpicc, 1)

/* *INDENT-ON* */

#undef LQ_FRAMEWORK
