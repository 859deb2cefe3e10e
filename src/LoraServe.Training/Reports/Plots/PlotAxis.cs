using System.Globalization;

namespace LoraServe.Training.Reports.Plots;

/// <summary>A range of values, where each lies on it, and the round numbers that it is marked with.</summary>
internal sealed class PlotAxis
{
    /// <summary>A range narrower than this share of its values cannot be marked with different numbers.</summary>
    private const double NarrowestShare = 1e-9;

    /// <summary>What is smaller counts as zero.</summary>
    private const double Smallest = 1e-100;

    /// <summary>What rounding may add to a whole number of steps.</summary>
    private const double Slack = 1e-6;

    /// <summary>A wider range of decades has a mark at every second, third, … only.</summary>
    private const int MostDecades = 8;

    /// <summary>First digits of the ends and marks of a logarithmic axis.</summary>
    private static readonly double[] s_digits = [1, 2, 5];

    private readonly AxisScale _scale;
    private readonly double _step;

    private PlotAxis(AxisScale scale, double minimum, double maximum, double step, double[] ticks)
    {
        _scale = scale;
        _step = step;
        Minimum = minimum;
        Maximum = maximum;
        Ticks = ticks;
    }

    public double Minimum { get; }

    public double Maximum { get; }

    /// <summary>Values with a mark, ascending, all within the range.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis on which all values find room.</summary>
    /// <param name="values">Values that can be drawn; may be none.</param>
    /// <param name="scale">How they lie along it.</param>
    /// <param name="tickCount">Wished number of marks; those at round numbers will be about as many.</param>
    /// <param name="isTight">Whether it ends at the least and greatest value instead of at a round number.</param>
    public static PlotAxis Over(IEnumerable<double> values, AxisScale scale, int tickCount, bool isTight)
    {
        double minimum = double.PositiveInfinity;
        double maximum = double.NegativeInfinity;
        foreach (double value in values)
        {
            minimum = Math.Min(minimum, value);
            maximum = Math.Max(maximum, value);
        }

        if (minimum > maximum)
        {
            (minimum, maximum) = (scale == AxisScale.Logarithmic ? 0.1 : 0, 1);
        }

        return scale == AxisScale.Logarithmic ? Logarithmic(minimum, maximum) : Linear(minimum, maximum, scale, tickCount, isTight);
    }

    /// <summary>Where a value lies: 0 at the axis's beginning, 1 at its end.</summary>
    public double Position(double value) => _scale == AxisScale.Logarithmic
        ? Math.Log(value / Minimum) / Math.Log(Maximum / Minimum)
        : (value - Minimum) / (Maximum - Minimum);

    /// <summary>A tick's value as text.</summary>
    public string Label(double tick)
    {
        if (_scale == AxisScale.Logarithmic)
        {
            return tick is >= 1e-3 and < 1e5 ? tick.ToString("0.###", CultureInfo.InvariantCulture) : tick.ToString("0e0", CultureInfo.InvariantCulture);
        }

        double greatest = Math.Max(Math.Abs(Minimum), Math.Abs(Maximum));
        if (greatest is >= 1e13 or < 1e-3)
        {
            return tick == 0 ? "0" : tick.ToString("0.###e0", CultureInfo.InvariantCulture);
        }

        (double unit, string suffix) = greatest switch
        {
            >= 1e10 => (1e9, "G"),
            >= 1e7 => (1e6, "M"),
            >= 1e4 => (1e3, "k"),
            _ => (1d, ""),
        };
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(_step / unit) - 1e-9), 0, 12);
        decimals += Math.Abs((_step / unit * Math.Pow(10, decimals)) - Math.Round(_step / unit * Math.Pow(10, decimals))) > 1e-6 ? 1 : 0; // steps of 2.5
        string text = (tick / unit).ToString($"F{decimals}", CultureInfo.InvariantCulture);
        return tick == 0 ? "0" : text + suffix;
    }

    private static PlotAxis Linear(double minimum, double maximum, AxisScale scale, int tickCount, bool isTight)
    {
        double magnitude = Math.Max(Math.Abs(minimum), Math.Abs(maximum));
        if (maximum - minimum <= Math.Max(magnitude * NarrowestShare, Smallest))
        {
            double room = scale == AxisScale.Whole ? Math.Max(1, magnitude * NarrowestShare) : magnitude <= Smallest ? 1 : magnitude * 0.1;
            (minimum, maximum) = (minimum - room, maximum + room);
        }

        double step = RoundStep((maximum - minimum) / tickCount);
        if (scale == AxisScale.Whole)
        {
            step = step < 1 ? 1 : step == 2.5 ? 5 : step;
        }

        if (!isTight)
        {
            (minimum, maximum) = (Math.Floor((minimum / step) + Slack) * step, Math.Ceiling((maximum / step) - Slack) * step);
        }

        // Counted in whole steps, so that ticks do not drift.
        double first = Math.Ceiling((minimum / step) - Slack);
        int count = (int)(Math.Floor((maximum / step) + Slack) - first) + 1;
        double low = minimum;
        double high = maximum;
        double[] ticks = [.. Enumerable.Range(0, count).Select(i => Math.Clamp((first + i) * step, low, high))];
        return new PlotAxis(scale, minimum, maximum, step, ticks);
    }

    private static PlotAxis Logarithmic(double minimum, double maximum)
    {
        // Ends at 1, 2 or 5 times a power of ten.
        int lowest = (int)Math.Floor(Math.Log10(minimum) + 1e-9);
        int highest = (int)Math.Ceiling(Math.Log10(maximum) - 1e-9);
        double[] candidates = [.. Enumerable.Range(lowest - 1, highest - lowest + 3).SelectMany(power => s_digits.Select(digit => digit * Math.Pow(10, power)))];
        double low = candidates.Last(candidate => candidate <= minimum * (1 + 1e-9));
        double high = candidates.First(candidate => candidate >= maximum * (1 - 1e-9));
        if (low == high)
        {
            int at = Array.IndexOf(candidates, low);
            (low, high) = (candidates[at - 1], candidates[at + 1]);
        }

        double decades = Math.Log10(high / low);
        int stride = (int)Math.Ceiling(decades / MostDecades);
        double[] ticks = decades <= 2.5
            ? [.. candidates.Where(candidate => candidate >= low && candidate <= high)]
            : [.. candidates.Where((candidate, i) => i % (s_digits.Length * stride) == 0 && candidate >= low && candidate <= high)];
        return new PlotAxis(AxisScale.Logarithmic, low, high, 0, ticks);
    }

    /// <summary>The smallest of 1, 2, 2.5 and 5 times a power of ten that is not smaller.</summary>
    private static double RoundStep(double least)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        double digits = least / power;
        return power * (digits <= 1 + 1e-9 ? 1 : digits <= 2 ? 2 : digits <= 2.5 ? 2.5 : digits <= 5 ? 5 : 10);
    }
}
