package engine

import "testing"

func TestABucketIsACounterWhoseNameCanBeTakenApart(t *testing.T) {
	name, ns, ok := SplitBucket(Bucket("poll", 1500))
	if name != "poll" || ns != 1500 || !ok {
		t.Errorf("%q %d %v", name, ns, ok)
	}
	for _, other := range []string{"polls", "", "poll~", "poll~x"} {
		if _, _, ok := SplitBucket(other); ok {
			t.Errorf("%q is not a bucket", other)
		}
	}
}
