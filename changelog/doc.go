// Package changelog keeps a store and its changelog topic in step: where reading must resume when a task opens, and when
// the store is caught up. What a row looks like in the topic says internal/layout. It does no I/O: the runtime fetches, and feeds what
// came.
//
//	        S (log start)        X (stored offset)          H (high watermark)
//	log     ├──────────────────────┼───────────────────────────┤
//	                               └── Feed, Feed, Feed ──────► Done
//
// H is asked for after the committed offsets of the task's inputs were stable, so that everything a former owner
// committed lies below it. The end is judged by the reader's position, not by records: markers and holes count.
package changelog
