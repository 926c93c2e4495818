/*
 * way.c
 *		The ordinary way from one stage to another.
 */
#include "postgres.h"

#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "lead/stage.h"
#include "lead/way.h"

/* Is it a move that needs no manager, the ordinary way? */
bool
lq_is_step(const LqTransition *transition, const LqStage *from)
{
	return lq_transition_leaves(transition, from) && !transition->exception;
}

/*
 * The shortest ordinary way between two stages: the stages after the first,
 * and how many; 0 if there is none.
 */
int
lq_find_way(const LqFunnel *funnel, const LqStage *from, const LqStage *to,
			const LqStage **way)
{
	int			n = funnel->n_stages;
	int		   *before = palloc(n * sizeof(int));
	int		   *queue = palloc(n * sizeof(int));
	int			head = 0;
	int			tail = 0;
	int			length = 0;

	for (int i = 0; i < n; i++)
		before[i] = -1;
	queue[tail++] = from - funnel->stages;
	before[from - funnel->stages] = from - funnel->stages;
	while (head < tail && before[to - funnel->stages] < 0)
	{
		int			at = queue[head++];

		for (int i = 0; i < funnel->n_transitions; i++)
		{
			const LqTransition *transition = &funnel->transitions[i];
			int			next;

			if (!lq_is_step(transition, &funnel->stages[at]))
				continue;
			next = transition->to - funnel->stages;
			if (before[next] >= 0)
				continue;
			before[next] = at;
			queue[tail++] = next;
		}
	}
	if (before[to - funnel->stages] < 0)
		return 0;
	for (int at = to - funnel->stages; at != from - funnel->stages;
		 at = before[at])
		length++;
	for (int at = to - funnel->stages, i = length - 1; i >= 0;
		 at = before[at], i--)
		way[i] = &funnel->stages[at];
	return length;
}
