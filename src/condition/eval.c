/*
 * eval.c
 *		Compiled conditions.
 *
 * A compiled condition lives in the memory context it was compiled in, as
 * long as that.  Its expression holds nothing but immutable functions of the
 * server and of this extension, so it can be kept across transactions; the
 * owner of the context recompiles when a table, type or function changes.
 *
 * Columns come from the row.  Lists are constants by now.  Whatever else a
 * condition may name has become a parameter, and the caller is asked for its
 * value when, and only when, evaluation comes to it.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "condition/eval.h"
#include "condition/parse.h"
#include "condition/parse_state.h"
#include "condition/part.h"
#include "condition/parts.h"
#include "condition/pseudo.h"
#include "condition/reads.h"
#include "condition/safe.h"
#include "condition/scope.h"
#include "condition/source.h"
#include "condition/time.h"
#include "condition/warned.h"
#include "plan_expression.h"
#include "subtransaction.h"

typedef struct CompiledPart
{
	LqConditionPart shown;
	Expr	   *expr;
	ExprState  *state;			/* NULL until asked for */
} CompiledPart;

struct LqCondition
{
	MemoryContext context;
	char	   *label;			/* for messages */
	uint64		hash;			/* tells it from others, over recompilations */
	ExprState  *state;
	ExprContext *econtext;		/* NULL until first evaluated */
	int			n_pseudos;
	LqPseudo   *pseudos;		/* parameter i is pseudos[i - 1] */
	ParamListInfo params;
	int			n_parts;
	CompiledPart *parts;
	Bitmapset  *columns;
	List	   *reads;			/* of LqReads: whose words an error may say */
	Size		spared_up_to;	/* it cannot raise while no value is larger;
								 * 0: it always may */
	int			n_sized;		/* columns whose values have to be measured */
	AttrNumber *sized;
	List	   *depends;		/* of PlanInvalItem */
	int64		n_raised;
	char	   *last_error;

	/* while evaluating */
	LqPseudoFetch fetch;
	void	   *fetch_arg;
	bool		sparing;		/* large values must not get in */
	bool		met_large;		/* one was kept out */
};

/*
 * Compiling
 */

typedef struct FoldContext
{
	const LqConditionScope *scope;
	List	   *pseudos;		/* of LqPseudo */
} FoldContext;

static bool
same_pseudo(const LqPseudo *a, const LqPseudo *b)
{
	return a->kind == b->kind && a->rule_id == b->rule_id &&
		a->attno == b->attno;
}

/*
 * Put lists in as constants, and parameters for pseudo-columns.
 */
static Node *
fold_mutator(Node *node, void *context)
{
	FoldContext *cxt = (FoldContext *) context;
	Var		   *var = (Var *) node;
	LqPseudo   *pseudo;
	Param	   *param;
	ListCell   *lc;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var))
		return expression_tree_mutator(node, fold_mutator, context);
	if (var->varno == LQ_SOURCE_ROW)
		return node;
	if (var->varno == LQ_SOURCE_LIST)
	{
		ArrayType  *values = cxt->scope->lists[var->varattno - 1].values;

		if (values == NULL)
			values = construct_empty_array(TEXTOID);
		return (Node *) makeConst(TEXTARRAYOID, -1, DEFAULT_COLLATION_OID, -1,
								  datumCopy(PointerGetDatum(values), false, -1),
								  false, false);
	}

	pseudo = palloc(sizeof(LqPseudo));
	lq_source_pseudo(cxt->scope, var, pseudo);
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramtype = var->vartype;
	param->paramtypmod = var->vartypmod;
	param->paramcollid = var->varcollid;
	param->location = -1;
	foreach(lc, cxt->pseudos)
	{
		if (same_pseudo(lfirst(lc), pseudo))
		{
			param->paramid = foreach_current_index(lc) + 1;
			return (Node *) param;
		}
	}
	cxt->pseudos = lappend(cxt->pseudos, pseudo);
	param->paramid = list_length(cxt->pseudos);
	return (Node *) param;
}

static bool
is_large(const LqCondition *condition, Datum value)
{
	return toast_raw_datum_size(value) > condition->spared_up_to;
}

/*
 * Value of a parameter; the executor calls this.
 */
static ParamExternData *
fetch_param(ParamListInfo params, int paramid, bool speculative,
			ParamExternData *workspace)
{
	LqCondition *condition = (LqCondition *) params->paramFetchArg;
	const LqPseudo *pseudo;

	if (paramid < 1 || paramid > condition->n_pseudos)
		elog(ERROR, "unexpected parameter %d in a condition", paramid);
	pseudo = &condition->pseudos[paramid - 1];
	workspace->isnull = false;
	workspace->value = condition->fetch(condition->fetch_arg, pseudo,
										&workspace->isnull);
	if (condition->sparing && !workspace->isnull &&
		pseudo->typlen == -1 && is_large(condition, workspace->value))
	{
		condition->met_large = true;
		workspace->isnull = true;
		workspace->value = (Datum) 0;
	}
	workspace->pflags = 0;
	workspace->ptype = pseudo->type;
	return workspace;
}

/*
 * Operands of the top-level AND.
 */
static List *
conjuncts_of(Node *tree)
{
	if (IsA(tree, BoolExpr) && ((BoolExpr *) tree)->boolop == AND_EXPR)
		return ((BoolExpr *) tree)->args;
	return list_make1(tree);
}

static Expr *
conjunction(List *conjuncts)
{
	if (list_length(conjuncts) == 1)
		return linitial(conjuncts);
	return makeBoolExpr(AND_EXPR, list_copy(conjuncts), -1);
}

/*
 * The parts as a person sees them.  Where what a person wrote cannot be
 * matched with what is evaluated, each conjunct is a part and its text is
 * ours.
 */
static List *
part_texts(LqParse *parse, const char *condition, List *conjuncts)
{
	List	   *texts = condition ? lq_split_text(condition) : NIL;
	int			n = 0;
	ListCell   *lc;

	foreach(lc, texts)
		n += ((LqPartText *) lfirst(lc))->n_conjuncts;
	if (n == list_length(conjuncts))
		return texts;

	texts = NIL;
	foreach(lc, conjuncts)
	{
		LqPartText *text = palloc(sizeof(LqPartText));

		text->text = lq_parse_deparse(parse, (Node *) lfirst(lc), false);
		text->n_conjuncts = 1;
		texts = lappend(texts, text);
	}
	return texts;
}

typedef struct ReadsContext
{
	Bitmapset  *columns;
	Bitmapset  *params;
} ReadsContext;

static bool
reads_walker(Node *node, void *context)
{
	ReadsContext *cxt = (ReadsContext *) context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
		cxt->columns = bms_add_member(cxt->columns, ((Var *) node)->varattno);
	else if (IsA(node, Param))
		cxt->params = bms_add_member(cxt->params, ((Param *) node)->paramid);
	return expression_tree_walker(node, reads_walker, context);
}

/*
 * Fill in what a part reads.
 */
static void
describe_part(LqCondition *condition, CompiledPart *part)
{
	LqConditionPart *shown = &part->shown;
	ReadsContext reads = {NULL, NULL};
	int			paramid = -1;

	(void) reads_walker((Node *) part->expr, &reads);
	shown->columns = reads.columns;
	condition->columns = bms_add_members(condition->columns, reads.columns);
	shown->pseudos = palloc0(Max(bms_num_members(reads.params), 1) *
							 sizeof(LqPseudo *));
	while ((paramid = bms_next_member(reads.params, paramid)) >= 0)
		shown->pseudos[shown->n_pseudos++] = &condition->pseudos[paramid - 1];
	lq_find_tests((Node *) part->expr, condition->pseudos, shown);
}

/*
 * Note the columns whose values may be of any size.
 */
static void
note_sized(LqCondition *condition, TupleDesc desc)
{
	int			attno = -1;

	condition->sized = palloc(Max(bms_num_members(condition->columns), 1) *
							  sizeof(AttrNumber));
	while ((attno = bms_next_member(condition->columns, attno)) >= 0)
		if (TupleDescAttr(desc, attno - 1)->attlen == -1)
			condition->sized[condition->n_sized++] = attno;
}

/*
 * Compile the stored form of a condition, in the current memory context.
 * condition, the form that a person wrote, is only shown; it may be NULL.
 */
LqCondition *
lq_condition_compile(const char *condition_sql, const char *condition,
					 LqConditionScope *scope, const char *label)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext work;
	LqParse		parse;
	FoldContext fold;
	Node	   *tree;
	Expr	   *whole;
	List	   *texts;
	List	   *conjuncts = NIL;
	List	   *reads = NIL;
	List	   *depends;
	LqCondition *result;
	ListCell   *lc;
	int			i;

	work = AllocSetContextCreate(context, "lead_qual condition compiler",
								 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(work);

	lq_parse_begin(&parse, condition_sql, label, scope);
	tree = lq_parse_tree(&parse);
	texts = part_texts(&parse, condition, conjuncts_of(tree));

	fold.scope = scope;
	fold.pseudos = NIL;
	foreach(lc, conjuncts_of(tree))
	{
		Node	   *conjunct = (Node *) lfirst(lc);

		MemoryContextSwitchTo(context);
		reads = lq_reads(scope, conjunct, reads);
		MemoryContextSwitchTo(work);
		conjunct = lq_parse_expand_generated(&parse, conjunct);
		MemoryContextSwitchTo(context);
		reads = lq_reads(scope, conjunct, reads);
		MemoryContextSwitchTo(work);
		conjuncts = lappend(conjuncts, fold_mutator(conjunct, &fold));
	}
	whole = lq_plan_expression(copyObject(conjunction(conjuncts)), &depends);

	MemoryContextSwitchTo(context);
	result = palloc0(sizeof(LqCondition));
	result->context = context;
	result->label = pstrdup(label ? label : "a rule");
	result->hash = hash_bytes_extended((const unsigned char *) result->label,
									   strlen(result->label),
									   RelationGetNamespace(scope->relation));
	result->hash = hash_bytes_extended((const unsigned char *) condition_sql,
									   strlen(condition_sql), result->hash);

	result->reads = reads;
	result->n_pseudos = list_length(fold.pseudos);
	result->pseudos = palloc(Max(result->n_pseudos, 1) * sizeof(LqPseudo));
	i = 0;
	foreach(lc, fold.pseudos)
		result->pseudos[i++] = *(LqPseudo *) lfirst(lc);
	if (result->n_pseudos > 0)
	{
		result->params = makeParamList(result->n_pseudos);
		result->params->paramFetch = fetch_param;
		result->params->paramFetchArg = result;
	}

	whole = copyObject(whole);
	result->spared_up_to = lq_spared_up_to((Node *) whole);
	result->n_parts = list_length(texts);
	result->parts = palloc0(result->n_parts * sizeof(CompiledPart));
	i = 0;
	foreach(lc, texts)
	{
		LqPartText *text = (LqPartText *) lfirst(lc);
		CompiledPart *part = &result->parts[i++];
		Expr	   *expr;

		expr = conjunction(list_truncate(list_copy(conjuncts),
										 text->n_conjuncts));
		conjuncts = list_copy_tail(conjuncts, text->n_conjuncts);
		MemoryContextSwitchTo(work);
		expr = expression_planner(copyObject(expr));
		MemoryContextSwitchTo(context);
		part->shown.text = pstrdup(text->text);
		part->expr = copyObject(expr);
		/* it may do what the whole, false without it, never comes to */
		result->spared_up_to = Min(result->spared_up_to,
								   lq_spared_up_to((Node *) part->expr));
		describe_part(result, part);
	}

	result->depends = copyObject(depends);
	note_sized(result, RelationGetDescr(scope->relation));
	result->state = ExecInitExpr(whole, NULL);

	lq_parse_end(&parse);
	MemoryContextDelete(work);
	return result;
}

/*
 * Evaluating
 */

static LqTruth
run(LqCondition *condition, ExprState *state, TupleTableSlot *row)
{
	ExprContext *econtext = condition->econtext;
	Datum		value;
	bool		isnull;

	ResetExprContext(econtext);
	econtext->ecxt_scantuple = row;
	econtext->ecxt_param_list_info = condition->params;
	value = ExecEvalExprSwitchContext(state, econtext, &isnull);
	ResetExprContext(econtext);
	return isnull ? LQ_UNKNOWN : DatumGetBool(value) ? LQ_TRUE : LQ_FALSE;
}

/*
 * Tell once a session that a condition raised an error.  What it says may
 * quote the row.
 */
static void
warn(LqCondition *condition)
{
	if (lq_first_warning(condition->hash))
		ereport(WARNING,
				(errmsg("condition of %s raised an error and counts as not met",
						condition->label),
				 lq_may_read(condition->reads) ?
				 errdetail_internal("%s", condition->last_error) : 0,
				 errhint("check_funnel() shows the owner of the funnel where.")));
}

/* an evaluation that may raise */
typedef struct Evaluation
{
	LqCondition *condition;
	ExprState  *state;
	TupleTableSlot *row;
	LqTruth		result;
} Evaluation;

static void
run_evaluation(void *arg)
{
	Evaluation *e = arg;

	e->result = run(e->condition, e->state, e->row);
}

/*
 * Evaluate an expression that may raise.  An error in the data, such as a
 * cast that fails, leaves the truth unknown: one bad property must not lose a
 * lead.
 */
static LqTruth
run_guarded(LqCondition *condition, ExprState *state, TupleTableSlot *row)
{
	Evaluation	e = {condition, state, row, LQ_UNKNOWN};
	LqFailure	failure;

	if (lq_try(LQ_TRY_CONDITION, run_evaluation, &e, &failure))
		return e.result;

	/* it stopped in the middle of its work */
	ResetExprContext(condition->econtext);
	if (condition->last_error)
		pfree(condition->last_error);
	condition->last_error = NULL;
	condition->last_error = MemoryContextStrdup(condition->context,
												failure.message);
	pfree(failure.message);
	condition->n_raised++;
	warn(condition);
	return LQ_UNKNOWN;
}

/*
 * Is no value of the row larger than what the expression is known to bear?
 */
static bool
row_is_small(const LqCondition *condition, TupleTableSlot *row)
{
	for (int i = 0; i < condition->n_sized; i++)
	{
		bool		isnull;
		Datum		value = slot_getattr(row, condition->sized[i], &isnull);

		if (!isnull && is_large(condition, value))
			return false;
	}
	return true;
}

/*
 * Evaluate without the cost of a subtransaction, which is safe as long as all
 * values are small.  False if one was not: those of pseudo-columns come to
 * light only now.
 */
static bool
run_spared(LqCondition *condition, ExprState *state, TupleTableSlot *row,
		   LqTruth *result)
{
	if (condition->spared_up_to == 0 || !row_is_small(condition, row))
		return false;
	condition->sparing = true;
	condition->met_large = false;
	*result = run(condition, state, row);
	condition->sparing = false;
	return !condition->met_large;
}

static LqTruth
evaluate(LqCondition *condition, ExprState *state, TupleTableSlot *row,
		 LqPseudoFetch fetch, void *fetch_arg)
{
	LqTruth		result;

	if (condition->econtext == NULL)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(condition->context);

		condition->econtext = CreateStandaloneExprContext();
		MemoryContextSwitchTo(oldcontext);
	}
	condition->fetch = fetch;
	condition->fetch_arg = fetch_arg;
	condition->sparing = false;
	if (run_spared(condition, state, row, &result))
		return result;
	return run_guarded(condition, state, row);
}

/*
 * Does the condition hold for the row?
 */
LqTruth
lq_condition_eval(LqCondition *condition, TupleTableSlot *row,
				  LqPseudoFetch fetch, void *fetch_arg)
{
	return evaluate(condition, condition->state, row, fetch, fetch_arg);
}

LqTruth
lq_condition_eval_part(LqCondition *condition, int part, TupleTableSlot *row,
					   LqPseudoFetch fetch, void *fetch_arg)
{
	CompiledPart *compiled;

	if (part < 0 || part >= condition->n_parts)
		elog(ERROR, "condition has no part %d", part);
	compiled = &condition->parts[part];
	if (compiled->state == NULL)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(condition->context);

		compiled->state = ExecInitExpr(compiled->expr, NULL);
		MemoryContextSwitchTo(oldcontext);
	}
	return evaluate(condition, compiled->state, row, fetch, fetch_arg);
}

/*
 * What a condition is like
 */

int
lq_condition_n_parts(const LqCondition *condition)
{
	return condition->n_parts;
}

const LqConditionPart *
lq_condition_part(const LqCondition *condition, int part)
{
	if (part < 0 || part >= condition->n_parts)
		elog(ERROR, "condition has no part %d", part);
	return &condition->parts[part].shown;
}

/*
 * Attribute numbers of the relation that it reads.
 */
Bitmapset *
lq_condition_columns(const LqCondition *condition)
{
	return condition->columns;
}

List *
lq_condition_depends(const LqCondition *condition)
{
	return condition->depends;
}

int64
lq_condition_n_raised(const LqCondition *condition)
{
	return condition->n_raised;
}

const char *
lq_condition_last_error(const LqCondition *condition)
{
	return condition->last_error;
}
