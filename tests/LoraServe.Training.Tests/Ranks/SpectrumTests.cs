using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Training.Ranks;

namespace LoraServe.Training.Tests.Ranks;

public sealed class SpectrumTests
{
    [Theory]
    [InlineData(0.5, 1, 1)]
    [InlineData(0.65, 2, 1)]
    [InlineData(0.9, 3, 2)]
    [InlineData(1, 4, 4)]
    public void RankFor_Share_IsTheSmallestThatHoldsIt(double share, int sum, int squares)
    {
        var spectrum = new Spectrum([5, 3, 1, 1]);

        Assert.Equal(sum, spectrum.RankFor(share));
        Assert.Equal(squares, spectrum.RankFor(share, EnergyMeasure.SumOfSquares));
    }

    [Fact]
    public void Retained_Rank_IsTheShareOfTheGreatestValues()
    {
        var spectrum = new Spectrum([3, 1]);

        Assert.Equal((0, 0.75, 1, 1), (spectrum.Retained(0), spectrum.Retained(1), spectrum.Retained(2), spectrum.Retained(9)));
        Assert.Equal(0.9, spectrum.Retained(1, EnergyMeasure.SumOfSquares));
    }

    [Fact]
    public void RankFor_MatrixOfZeros_IsZero()
    {
        var spectrum = Spectrum.Of(new FloatMatrix(4, 3));

        Assert.Equal((0, 1), (spectrum.RankFor(0.9), spectrum.Retained(0)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void RankFor_WhatIsNoShare_IsRefused(double share) => Assert.Throws<ArgumentOutOfRangeException>(() => new Spectrum([1]).RankFor(share));

    [Fact]
    public void Create_RisingOrNegativeValues_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new Spectrum([1, 2]));
        Assert.Throws<ArgumentException>(() => new Spectrum([1, -2]));
        Assert.Throws<ArgumentException>(() => new Spectrum([double.NaN]));
    }

    [Fact]
    public void OfAll_Modules_AreTheSpectraOfEach()
    {
        using var model = TinyModel.Create(1);
        BaseModule[] modules = [.. model.Modules.Where(module => module.Site.Layer == 0)];
        int done = 0;

        IReadOnlyDictionary<Site, Spectrum> spectra = Spectrum.OfAll(modules, module => Weight(model, module), workers: 2, () => Interlocked.Increment(ref done));

        Assert.Equal(modules.Length, done);
        Assert.All(modules, module => Assert.Equal(Spectrum.Of(Weight(model, module)).SingularValues, spectra[module.Site].SingularValues));
    }

    [Fact]
    public void OfAll_Cancelled_GivesUp()
    {
        using var model = TinyModel.Create(1);
        using var source = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(
            () => Spectrum.OfAll(model.Modules, module => Weight(model, module), workers: 1, source.Cancel, source.Token));
    }

    [Fact]
    public void OfAll_MatrixThatCannotBeRead_FailsWithItsOwnError()
    {
        using var model = TinyModel.Create(1);

        Assert.Throws<InvalidDataException>(() => Spectrum.OfAll(model.Modules, _ => throw new InvalidDataException(), workers: 2));
    }

    private static FloatMatrix Weight(Transformer model, BaseModule module)
    {
        var weight = new FloatMatrix(module.Outputs, module.Inputs);
        for (int row = 0; row < weight.Rows; row++)
        {
            model.CopyWeightRow(module.Site, row, weight.Row(row));
        }

        return weight;
    }
}
