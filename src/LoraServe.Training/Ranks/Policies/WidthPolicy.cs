using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>By the model's width: below 512 takes 8, below 2048 takes 64, more takes 128.</summary>
/// <remarks>
/// A rule of thumb of fine-tuning guides: a wider model has more directions in which it can change. It errs on the generous
/// side: Hu et al., LoRA (arXiv 2106.09685), table 6, find that 4 to 8 may be enough even at a width of 12,288.
/// </remarks>
public sealed class WidthPolicy : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "width";

    /// <summary>The rank for a width.</summary>
    public static int RankFor(int width) => width switch
    {
        < 512 => 8,
        < 2048 => 64,
        _ => 128,
    };

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        int width = question.Model.Width;
        string bounds = width switch
        {
            < 512 => "below 512",
            < 2048 => "from 512 to 2047",
            _ => "from 2048 on",
        };
        return RankPlan.Uniform(Name, question, RankFor(width), string.Create(CultureInfo.InvariantCulture, $"the model is {width} wide; {bounds} it is {RankFor(width)}"));
    }
}
