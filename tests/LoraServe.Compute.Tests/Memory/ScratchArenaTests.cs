using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Tests.Memory;

public sealed class ScratchArenaTests
{
    private const int LineFloats = 16;

    [Theory]
    [InlineData(512)]
    [InlineData(576)]
    [InlineData(1000)]
    [InlineData(4096)]
    public void Rent_OfWideRows_PutsThemAnOddNumberOfCacheLinesApart(int width)
    {
        using var arena = new ScratchArena();

        Rows rows = arena.Rent(3, width);

        Assert.Equal(width, rows.Width);
        Assert.Equal(0, rows.Stride % LineFloats);
        Assert.Equal(1, rows.Stride / LineFloats % 2);
        Assert.InRange(rows.Stride, width, width + (2 * LineFloats));
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(3, 700)]
    public void Rent_Twice_SharesNoMemory(int count, int width)
    {
        using var arena = new ScratchArena();

        Rows first = arena.Rent(count, width);
        Rows second = arena.Rent(count, width);
        Fill(first, 1);
        Fill(second, 2);

        for (int row = 0; row < count; row++)
        {
            Assert.All(first.Span(row).ToArray(), value => Assert.Equal(1, value));
            Assert.All(second.Span(row).ToArray(), value => Assert.Equal(2, value));
        }
    }

    private static void Fill(Rows rows, float value)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Span(row).Fill(value);
        }
    }
}
