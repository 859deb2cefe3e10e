using LoraServe.Models.Forward;
using LoraServe.Torch.Forward;

namespace LoraServe.Torch.Tests.Forward;

/// <summary>Where a step's numbers lie; no libtorch is needed for that.</summary>
public sealed class StepLayoutTests
{
    [Fact]
    public void Build_SegmentsOfSeveralSizes_EachRowHasOnePlaceAndSeesItsOwnPositions()
    {
        var random = new Random(3);
        for (int round = 0; round < 50; round++)
        {
            var batch = new TokenBatch();
            int page = 0;
            foreach (int _ in Enumerable.Range(0, random.Next(1, 8)))
            {
                int first = random.Next(0, 40);
                int count = random.Next(0, 2) == 0 ? 1 : random.Next(1, 40);
                batch.Add(new SegmentRequest
                {
                    Tokens = Enumerable.Range(100, count).ToArray(),
                    FirstPosition = first,
                    Pages = Enumerable.Range(page, KvPage.Count(first + count)).Reverse().ToArray(),
                    PromptLength = first + count,
                    Output = SegmentOutput.LastLogits,
                });
                page += KvPage.Count(first + count);
            }

            Check(batch, usesPages: true);
        }
    }

    [Fact]
    public void Build_OneSegmentOfASizeOfTheSeries_NeedsNoPlaces()
    {
        var batch = new TokenBatch();
        batch.Add(new SegmentRequest { Tokens = new int[16], Pages = [0], PromptLength = 16 });
        var layout = new StepLayout(ProductChoice.Apart);
        layout.Build(batch, usesPages: false);
        Assert.Equal(0, layout.Places.Count);
        Assert.Equal(Enumerable.Range(0, 16).Select(row => (long)row), Of(layout, layout.Slots));
    }

    private static void Check(TokenBatch batch, bool usesPages)
    {
        var layout = new StepLayout(ProductChoice.Apart);
        layout.Build(batch, usesPages);
        Assert.Equal(batch.Tokens.ToArray().Select(token => (long)token), Of(layout, layout.Tokens));

        // Rows of all groups one after another, with what each sees.
        var places = new List<(long Row, long Position, long[] Slots)>();
        foreach (StepLayout.Group group in layout.Groups)
        {
            long[] slots = Of(layout, group.Slots);
            foreach ((int i, long row) in Of(layout, group.Rows).Index())
            {
                int segment = i / group.RowCount;
                places.Add((row, Of(layout, group.Positions)[i], slots[(segment * group.Length)..((segment + 1) * group.Length)]));
            }
        }

        long[] placeOfRow = layout.Places.Count > 0 ? Of(layout, layout.Places) : [.. Enumerable.Range(0, batch.RowCount).Select(row => (long)row)];
        foreach (Segment segment in batch.Segments)
        {
            for (int row = 0; row < segment.RowCount; row++)
            {
                (long source, long position, long[] slots) = places[(int)placeOfRow[segment.FirstRow + row]];
                Assert.Equal(segment.FirstRow + row, source);
                Assert.Equal(segment.FirstPosition + row, position);
                for (int seen = 0; seen <= position; seen++)
                {
                    Assert.Equal((batch.Pages[segment.FirstPage + (seen / KvPage.Tokens)] * KvPage.Tokens) + (seen % KvPage.Tokens), slots[seen]);
                }
            }
        }
    }

    private static long[] Of(StepLayout layout, StepLayout.Slice slice) => layout.Numbers.Slice(slice.First, slice.Count).ToArray();
}
