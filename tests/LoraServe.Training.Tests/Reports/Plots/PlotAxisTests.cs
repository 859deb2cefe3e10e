using FsCheck;
using FsCheck.Fluent;
using LoraServe.Training.Reports.Plots;

namespace LoraServe.Training.Tests.Reports.Plots;

public sealed class PlotAxisTests
{
    public static TheoryData<double, double, AxisScale, bool, string> Ranges => new()
    {
        { 0, 1, AxisScale.Linear, false, "0 0.2 0.4 0.6 0.8 1.0" },
        { 0.37, 6.54, AxisScale.Linear, false, "0 2 4 6 8" },
        { 1.2, 1.9, AxisScale.Linear, false, "1.2 1.4 1.6 1.8 2.0" },
        { -3, 7, AxisScale.Linear, false, "-4 -2 0 2 4 6 8" },
        { 0, 11, AxisScale.Linear, false, "0 2.5 5.0 7.5 10.0 12.5" },
        { 0, 12_000, AxisScale.Linear, false, "0 2.5k 5.0k 7.5k 10.0k 12.5k" },
        { 0, 5e-5, AxisScale.Linear, false, "0 1e-5 2e-5 3e-5 4e-5 5e-5" },
        { 0, 4e12, AxisScale.Linear, false, "0 1000G 2000G 3000G 4000G" },
        { 1, 3, AxisScale.Whole, true, "1 2 3" },
        { 1, 150, AxisScale.Whole, true, "50 100 150" },
        { 1, 11, AxisScale.Whole, true, "2 4 6 8 10" },
        { 1, 13, AxisScale.Whole, true, "5 10" },
        { 1e-5, 1e-3, AxisScale.Logarithmic, false, "1e-5 2e-5 5e-5 1e-4 2e-4 5e-4 0.001" },
        { 1e-8, 0.5, AxisScale.Logarithmic, false, "1e-8 1e-7 1e-6 1e-5 1e-4 0.001 0.01 0.1" },
        { 3e-4, 3e-4, AxisScale.Logarithmic, false, "2e-4 5e-4" },
        { 7, 7, AxisScale.Whole, true, "6 7 8" },
        { 2, 2, AxisScale.Linear, false, "1.8 1.9 2.0 2.1 2.2" },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Over_Range_IsMarkedWithRoundNumbers(double minimum, double maximum, AxisScale scale, bool isTight, string labels)
    {
        PlotAxis axis = PlotAxis.Over([minimum, maximum], scale, tickCount: 5, isTight);

        Assert.Equal(labels, string.Join(' ', axis.Ticks.Select(axis.Label)));
    }

    [Fact]
    public void Over_NoValues_IsSomeRange()
    {
        Assert.Equal((0, 1), (PlotAxis.Over([], AxisScale.Linear, 5, false).Minimum, PlotAxis.Over([], AxisScale.Linear, 5, false).Maximum));
        Assert.NotEmpty(PlotAxis.Over([], AxisScale.Logarithmic, 5, false).Ticks);
    }

    [Fact]
    public void Over_AnyValues_HoldsThemAndFewTicks() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<NormalFloat>(), ArbMap.Default.ArbFor<NormalFloat>(), Gen.Choose(0, 2).ToArbitrary(),
            (a, b, scale) =>
            {
                var kind = (AxisScale)scale;
                double[] values = [.. new[] { a.Get, b.Get, a.Get * 1e-30, b.Get * 1e60 }.Where(value => PlotSeries.IsDrawable(value, kind))];
                PlotAxis axis = PlotAxis.Over(values, kind, 5, isTight: false);
                return axis.Ticks.Count is >= 2 and <= 20
                    && values.All(value => axis.Position(value) is >= -1e-9 and <= 1 + 1e-9)
                    && axis.Ticks.All(tick => axis.Position(tick) is >= -1e-9 and <= 1 + 1e-9 && axis.Label(tick).Length is > 0 and < 20)
                    && axis.Ticks.Zip(axis.Ticks.Skip(1)).All(pair => pair.First < pair.Second);
            }).QuickCheckThrowOnFailure();
}
