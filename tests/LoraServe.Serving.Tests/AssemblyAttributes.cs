// Tests compare the native memory of the whole process before and after.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
