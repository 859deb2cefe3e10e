// Tests compare the native memory of the whole process before and after, and read the metrics of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
