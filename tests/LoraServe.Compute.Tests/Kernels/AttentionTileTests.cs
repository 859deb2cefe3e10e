using LoraServe.Compute.Kernels;

namespace LoraServe.Compute.Tests.Kernels;

public unsafe class AttentionTileTests
{
    private const int Positions = 50;

    [Theory]
    [InlineData(8, 1, 0)]
    [InlineData(16, 3, 0)]
    [InlineData(24, 7, 0)]
    [InlineData(64, 11, 0)]
    [InlineData(64, 24, 5)]
    [InlineData(80, 2, 17)]
    public void AddBlock_OverAllBlocks_IsSoftmaxAttention(int headSize, int queries, int window)
    {
        var random = new Random(headSize + queries);
        using var q = new NativeRows(queries, headSize, random, range: 2);
        using var k = new NativeRows(Positions, headSize, random, range: 2);
        using var v = new NativeRows(Positions, headSize, random);
        int[] positions = [.. Enumerable.Range(0, queries).Select(i => Positions - queries + i)];
        using NativeRows results = Attend(q, k, v, positions, window);
        for (int i = 0; i < queries; i++)
        {
            double[] expected = Expected(q.View.Span(i), k, v, positions[i], window);
            for (int d = 0; d < headSize; d++)
            {
                Assert.Equal(expected[d], results.View[i][d], 2e-5);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void AddBlock_QueryAloneOrAmongOthers_GivesTheSameBits(int window)
    {
        const int HeadSize = 40;
        var random = new Random(5);
        using var q = new NativeRows(20, HeadSize, random, range: 3);
        using var k = new NativeRows(Positions, HeadSize, random, range: 3);
        using var v = new NativeRows(Positions, HeadSize, random);
        int[] positions = [.. Enumerable.Range(0, 20).Select(i => 25 + i)];
        using NativeRows together = Attend(q, k, v, positions, window);
        for (int i = 0; i < 20; i++)
        {
            using var single = new NativeRows(1, HeadSize);
            q.View.Span(i).CopyTo(single.View.Span(0));
            using NativeRows alone = Attend(single, k, v, [positions[i]], window);
            Assert.Equal(alone.View.Span(0), together.View.Span(i));
        }
    }

    [Fact]
    public void AddRange_RangesSavedByOtherTiles_GiveTheBitsOfOneTile()
    {
        const int HeadSize = 40;
        const int Blocks = 9;
        const int BlocksPerRange = 3;
        var random = new Random(6);
        using var q = new NativeRows(1, HeadSize, random, range: 3);
        using var keys = new NativeRows(Blocks * HeadSize, 16, random, range: 3);
        using var values = new NativeRows(Blocks * 16, AttentionTile.PaddedHeadSize(HeadSize), random);
        using var memory = new NativeRows(2, AttentionTile.FloatsNeeded(1, HeadSize));
        using var states = new NativeRows(Blocks / BlocksPerRange, AttentionTile.StateFloats(HeadSize));
        using var results = new NativeRows(2, HeadSize);
        var one = new AttentionTile(memory.View[0], 1, HeadSize);
        var other = new AttentionTile(memory.View[1], 1, HeadSize);
        one.SetQuery(0, q.Pointer, 0.2f, Blocks * 16);
        for (int block = 0; block < Blocks; block++)
        {
            if (block % BlocksPerRange == 0)
            {
                other.SetQuery(0, q.Pointer, 0.2f, Blocks * 16);
            }

            one.AddBlock(1, block * 16, 16, 0, keys.View[block * HeadSize], values.View[block * 16]);
            other.AddBlock(1, block * 16, 16, 0, keys.View[block * HeadSize], values.View[block * 16]);
            if (block % BlocksPerRange == BlocksPerRange - 1)
            {
                one.EndRange(1);
                other.SaveRange(0, states.View[block / BlocksPerRange]);
            }
        }

        one.Finish(0, results.View[0]);
        other.Clear(0);
        for (int range = 0; range < Blocks / BlocksPerRange; range++)
        {
            other.AddRange(0, states.View[range]);
        }

        other.Finish(0, results.View[1]);
        Assert.Equal(results.View.Span(0), results.View.Span(1));
    }

    private static NativeRows Attend(NativeRows q, NativeRows k, NativeRows v, int[] positions, int window)
    {
        int headSize = q.View.Width;
        int padded = AttentionTile.PaddedHeadSize(headSize);
        using var memory = new NativeRows(1, AttentionTile.FloatsNeeded(positions.Length, headSize));
        var tile = new AttentionTile(memory.Pointer, positions.Length, headSize);
        for (int i = 0; i < positions.Length; i++)
        {
            tile.SetQuery(i, q.View[i], 1f / MathF.Sqrt(headSize), positions[i]);
        }

        int first = window > 0 ? Math.Max(0, positions[0] - window + 1) : 0;
        for (int start = first / 16 * 16; start <= positions[^1]; start += 16)
        {
            // What no key was written to yet holds something that must not matter.
            using var keys = new NativeRows(headSize, 16);
            using var values = new NativeRows(16, padded);
            new Span<float>(keys.Pointer, headSize * 16).Fill(float.NaN);
            new Span<float>(values.Pointer, 16 * padded).Fill(float.NaN);
            int filled = Math.Min(16, positions[^1] + 1 - start);
            for (int j = 0; j < filled; j++)
            {
                for (int d = 0; d < headSize; d++)
                {
                    keys.View[d][j] = k.View[start + j][d];
                    values.View[j][d] = v.View[start + j][d];
                }
            }

            tile.AddBlock(positions.Length, start, filled, window, keys.Pointer, values.Pointer);
        }

        tile.EndRange(positions.Length);
        var results = new NativeRows(positions.Length, headSize);
        for (int i = 0; i < positions.Length; i++)
        {
            tile.Finish(i, results.View[i]);
        }

        return results;
    }

    private static double[] Expected(ReadOnlySpan<float> query, NativeRows k, NativeRows v, int position, int window)
    {
        double[] result = new double[query.Length];
        double sum = 0;
        for (int j = window > 0 ? Math.Max(0, position - window + 1) : 0; j <= position; j++)
        {
            double score = 0;
            for (int d = 0; d < query.Length; d++)
            {
                score += (double)query[d] * k.View[j][d];
            }

            double weight = Math.Exp(score / Math.Sqrt(query.Length));
            sum += weight;
            for (int d = 0; d < query.Length; d++)
            {
                result[d] += weight * v.View[j][d];
            }
        }

        return [.. result.Select(value => value / sum)];
    }
}
