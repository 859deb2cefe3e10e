namespace LoraServe.Compute.Tensors;

/// <summary>Finds scales with which values rounded to few whole numbers are near what they were, by weighted squares.</summary>
/// <remarks>
/// Given the whole numbers, the best scale (and minimum) is a least-squares fit; given those, the best whole numbers are the nearest. Each candidate is a scale
/// a little finer or coarser than the one that just reaches the extremes, rounded and fitted once.
/// </remarks>
internal static class ScaleFit
{
    private const int Candidates = 9;
    private const float Step = 0.1f;

    /// <summary>The scale of value ≈ scale · code with codes from <paramref name="least"/> (negative) to −least − 1; 0 where all values are.</summary>
    public static float Symmetric(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int least)
    {
        float extreme = 0;
        foreach (float value in values)
        {
            extreme = Math.Abs(value) > Math.Abs(extreme) ? value : extreme;
        }

        if (extreme == 0)
        {
            return 0;
        }

        float best = extreme / least;
        double bestGain = 0;
        for (int candidate = -Candidates; candidate <= Candidates; candidate++)
        {
            // The sum of squared errors is Σ w·x² less the gain.
            float inverse = (least + (Step * candidate)) / extreme;
            double valueCode = 0;
            double codeCode = 0;
            for (int i = 0; i < values.Length; i++)
            {
                float code = Math.Clamp(MathF.Round(inverse * values[i]), least, -least - 1);
                valueCode += (double)weights[i] * values[i] * code;
                codeCode += (double)weights[i] * code * code;
            }

            double gain = codeCode > 0 ? valueCode * valueCode / codeCode : 0;
            if (gain > bestGain)
            {
                (bestGain, best) = (gain, (float)(valueCode / codeCode));
            }
        }

        return best;
    }

    /// <summary>Scale and minimum of value ≈ scale · code + minimum with codes from 0 to <paramref name="most"/>.</summary>
    /// <param name="values">The values.</param>
    /// <param name="weights">How much an error of each counts.</param>
    /// <param name="most">The greatest code.</param>
    /// <param name="isBelowZero">Whether the minimum may not be positive.</param>
    public static (float Scale, float Minimum) Affine(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int most, bool isBelowZero)
    {
        float lowest = isBelowZero ? 0 : float.PositiveInfinity;
        float highest = float.NegativeInfinity;
        foreach (float value in values)
        {
            lowest = Math.Min(lowest, value);
            highest = Math.Max(highest, value);
        }

        if (highest <= lowest)
        {
            return (0, lowest);
        }

        (float Scale, float Minimum) best = ((highest - lowest) / most, lowest);
        double bestError = double.PositiveInfinity;
        for (int candidate = -Candidates; candidate <= Candidates; candidate++)
        {
            var sums = default(Sums);
            float inverse = (most + (Step * candidate)) / (highest - lowest);
            for (int i = 0; i < values.Length; i++)
            {
                sums.Add(weights[i], values[i], Math.Clamp(MathF.Round(inverse * (values[i] - lowest)), 0, most));
            }

            (double scale, double minimum) = sums.Fit(isBelowZero);
            double error = sums.Error(scale, minimum);
            if (scale > 0 && error < bestError)
            {
                (bestError, best) = (error, ((float)scale, (float)minimum));
            }
        }

        return best;
    }

    /// <summary>Weighted sums of values, codes and their products.</summary>
    private struct Sums
    {
        private double _weight;
        private double _value;
        private double _code;
        private double _valueValue;
        private double _valueCode;
        private double _codeCode;

        public void Add(double weight, double value, double code)
        {
            _weight += weight;
            _value += weight * value;
            _code += weight * code;
            _valueValue += weight * value * value;
            _valueCode += weight * value * code;
            _codeCode += weight * code * code;
        }

        public readonly (double Scale, double Minimum) Fit(bool isBelowZero)
        {
            double determinant = (_weight * _codeCode) - (_code * _code);
            if (determinant <= 0)
            {
                return (0, 0);
            }

            double minimum = ((_codeCode * _value) - (_code * _valueCode)) / determinant;
            return isBelowZero && minimum > 0 ? (_valueCode / _codeCode, 0) : (((_weight * _valueCode) - (_code * _value)) / determinant, minimum);
        }

        public readonly double Error(double scale, double minimum) => _valueValue + (scale * scale * _codeCode) + (minimum * minimum * _weight)
            + (2 * ((scale * minimum * _code) - (scale * _valueCode) - (minimum * _value)));
    }
}
