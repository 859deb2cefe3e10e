using LoraServe.Studio.Studies;

namespace LoraServe.Studio.Tests.Studies;

public sealed class ServingLatencyTests
{
    [Fact]
    public void Of_ComparesNeighbours()
    {
        // The machine slows down meanwhile; of each pair the adapter's token still takes half as long again.
        var latency = ServingLatency.Of([2, 4, 8], [3, 6, 12]);

        Assert.Equal(4, latency.BaseMilliseconds);
        Assert.Equal(2, latency.AddedMilliseconds);
        Assert.Equal(1.5, latency.Ratio);
    }

    [Fact]
    public void Median_OfAnEvenNumber_IsBetweenTheTwoInTheMiddle() => Assert.Equal(2.5, ServingLatency.Median([4, 1, 2, 3]));
}
