package assign_test

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/assign"
)

// Two processes share the four tasks of one subtopology; the one that has state on its disk goes on with it.
func Example() {
	count := []assign.Sub{{Fingerprint: "3f9a", Topics: []string{"words"}, Stateful: true, Changelogs: []string{"app-counts-changelog"}}}
	members := []assign.Member{
		{ID: "a", Process: "p1", Subs: count},
		{ID: "b", Process: "p2", Subs: count, Disk: []assign.Stored{{Changelog: "app-counts-changelog", Partition: 0, Offset: 5000}}},
	}
	plan, problems := assign.Assign(members, map[string]int32{"words": 4}, nil)
	fmt.Println(plan["a"], plan["b"], problems)
	// Output: map[words:[1 2]] map[words:[0 3]] []
}
