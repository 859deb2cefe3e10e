using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>How well low-rank pairs stand for a change: ‖ΔW − s·BA‖ / ‖ΔW‖ in the Frobenius norm.</summary>
/// <param name="ErrorSquare">‖ΔW − s·BA‖².</param>
/// <param name="ChangeSquare">‖ΔW‖².</param>
public readonly record struct RankQuality(double ErrorSquare, double ChangeSquare)
{
    /// <summary>A pair is good where its <see cref="RelativeError"/> is below this.</summary>
    public const double Acceptable = 0.05;

    /// <summary>0 where nothing is lost, 1 where everything is; 0 too where there is no change.</summary>
    public double RelativeError => ChangeSquare > 0 ? Math.Sqrt(ErrorSquare / ChangeSquare) : 0;

    /// <summary>Whether the error is below <see cref="Acceptable"/>.</summary>
    public bool IsAcceptable => RelativeError < Acceptable;

    /// <summary>The quality at several maps taken together.</summary>
    public static RankQuality operator +(RankQuality left, RankQuality right) =>
        new(left.ErrorSquare + right.ErrorSquare, left.ChangeSquare + right.ChangeSquare);

    /// <summary>The same as the operator.</summary>
    public RankQuality Add(RankQuality other) => this + other;

    /// <summary>The quality of a pair.</summary>
    /// <param name="change">ΔW, [outputs, inputs].</param>
    /// <param name="pair">What stands for it; null for nothing.</param>
    /// <exception cref="ArgumentException">The pair has another shape.</exception>
    public static RankQuality Of(FloatMatrix change, LowRank? pair)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (pair is not null && (pair.B.Rows != change.Rows || pair.A.Columns != change.Columns))
        {
            throw new ArgumentException($"The pair makes a change of [{pair.B.Rows}, {pair.A.Columns}]; expected [{change.Rows}, {change.Columns}].", nameof(pair));
        }

        double errorSquare = 0;
        double changeSquare = 0;
        double[] row = new double[change.Columns];
        double[] part = new double[change.Columns];
        for (int i = 0; i < change.Rows; i++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(change.Row(i), row);
            changeSquare += TensorPrimitives.SumOfSquares<double>(row);
            for (int k = 0; k < (pair?.Rank ?? 0); k++)
            {
                TensorPrimitives.ConvertTruncating<float, double>(pair!.A.Row(k), part);
                TensorPrimitives.MultiplyAdd(part, -(double)pair.Scale * pair.B.Row(i)[k], row, row);
            }

            errorSquare += TensorPrimitives.SumOfSquares<double>(row);
        }

        return new RankQuality(errorSquare, changeSquare);
    }
}
