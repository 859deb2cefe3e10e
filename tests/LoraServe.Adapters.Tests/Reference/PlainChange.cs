using LoraServe.Adapters.Methods.Reading;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>What PEFT makes of a module's weight and bias with an adapter of one of the methods that project, by its formula written out in float64.</summary>
internal sealed class PlainChange(AdapterBuilder builder, IBaseModel model, BaseModule module, int place)
{
    private readonly double[,] _w = Matrix(model.Weight(module).Values, module.Outputs, module.Inputs);
    private readonly double[] _b = Array.ConvertAll(model.Bias(module), value => (double)value);

    /// <summary>The weight [outputs, inputs] and the bias.</summary>
    public (double[,] Weight, double[] Bias) Of(string name) => name.Split(' ')[0] switch
    {
        "TINYLORA" => (Sum(_w, TinyLora(name)), _b),
        "UNILORA" => (Sum(_w, Product(UniLora("B", module.Outputs, 2), UniLora("A", 2, module.Inputs))), _b),
        "DEFT" => (Deft(), _b),
        "GLORA" => (Glora(), GloraBias()),
        "PEANUT" => (Sum(_w, Peanut()), _b),
        "SUPERTUNING" => (Supertuning(), _b),
        _ => (Lora(name), _b),
    };

    private double[,] TinyLora(string name)
    {
        float[] numbers = builder.Values($"tinylora_v.{(name.EndsWith("tied", StringComparison.Ordinal) ? 0 : place)}");
        float[] projections = new TorchGenerator((ulong)(9 + place)).Normal(5 * 9, 1 / MathF.Sqrt(3));
        double[,] mixed = new double[3, 3];
        for (int i = 0; i < 45; i++)
        {
            mixed[i % 9 / 3, i % 3] += (double)numbers[i / 9] * projections[i];
        }

        return Product(Product(Stored("model.", "tinylora_B", module.Outputs, 3), mixed), Stored("model.", "tinylora_A", 3, module.Inputs));
    }

    private double[,] UniLora(string part, int rows, int columns)
    {
        float[] numbers = builder.Values("unilora_theta_d");
        int[] which;
        double[] scales;
        if (builder.Names.Contains($"model.{module.Path}.unilora_indices_A"))
        {
            which = Array.ConvertAll(builder.Values($"model.{module.Path}.unilora_indices_{part}"), value => (int)value);
            scales = Array.ConvertAll(builder.Values($"model.{module.Path}.unilora_scales_{part}"), value => (double)value);
        }
        else
        {
            // q_proj's A and B come first, then v_proj's: 12, 16, 12 and 8 elements.
            const int All = 48;
            int[] drawn = [.. Enumerable.Range(0, All - (All % numbers.Length)).Select(i => i / (All / numbers.Length)), .. Enumerable.Range(0, All % numbers.Length)];
            var generator = new NumpyGenerator(3);
            generator.Choose(numbers.Length, All % numbers.Length).CopyTo(drawn, All - (All % numbers.Length));
            generator.Shuffle(drawn);
            int first = (place, part) switch { (0, "A") => 0, (0, _) => 12, (_, "A") => 28, _ => 40 };
            which = drawn[first..(first + (rows * columns))];
            scales = [.. which.Select(number => 1 / Math.Sqrt(drawn.Count(other => other == number)))];
        }

        double[,] factor = new double[rows, columns];
        for (int i = 0; i < which.Length; i++)
        {
            factor[i / columns, i % columns] = numbers[which[i]] * scales[i];
        }

        return factor;
    }

    /// <summary>(I − P·relu(P)ᵀ)·W + P·R, with the orthonormal columns of a QR decomposition in both places, or without R.</summary>
    private double[,] Deft()
    {
        const int Rank = 3;
        double[,] p = Stored("", "deft_P", module.Outputs, Rank);
        bool isOrthogonal = builder.Config["decomposition_method"]!.GetValue<string>() == "qr";
        double[,] left = isOrthogonal ? Reflected(p) : p;
        double[,] right = isOrthogonal ? left : Map(p, value => Math.Max(value, 0));
        double[,] weight = Sum(_w, Product(left, Product(Transposed(right), _w)), -1);
        return builder.Config["para"]!.GetValue<bool>() ? weight : Sum(weight, Product(left, Stored("", "deft_R", Rank, module.Inputs)), 2.0 / Rank);
    }

    private double[,] Glora()
    {
        double[,] a = GloraPart("A", module.Outputs, module.Inputs);
        double[,] b = GloraPart("B", module.Outputs, module.Inputs);
        double[,] weight = (double[,])_w.Clone();
        for (int i = 0; i < module.Outputs; i++)
        {
            for (int j = 0; j < module.Inputs; j++)
            {
                weight[i, j] += (_w[i, j] * a[i, j]) + b[i, j];
            }
        }

        return weight;
    }

    private double[] GloraBias()
    {
        if (!module.HasBias)
        {
            return _b;
        }

        double[,] c = Product(_w, GloraPart("C", module.Inputs, 1));
        (double[,] d, double[,] e) = (GloraPart("D", module.Outputs, 1), GloraPart("E", module.Outputs, 1));
        return [.. _b.Select((value, i) => value + (value * d[i, 0]) + e[i, 0] + c[i, 0])];
    }

    private double[,] GloraPart(string part, int rows, int columns)
    {
        if (builder.Names.Contains($"{module.Path}.glora_{part}.Xd"))
        {
            return Product(Stored("", $"glora_{part}.Xd", rows, 2), Stored("", $"glora_{part}.Xu", 2, columns));
        }

        float[] values = builder.Values($"{module.Path}.glora_{part}.X");
        double[,] whole = new double[rows, columns];
        for (int i = 0; i < rows * columns; i++)
        {
            whole[i / columns, i % columns] = values[values.Length == 1 ? 0 : i / columns];
        }

        return whole;
    }

    /// <summary>As PEFT has it, with rows for inputs: f(Wᵀ·Aᵀ), then encoders and decoders from the right.</summary>
    private double[,] Peanut()
    {
        const int Rank = 3;
        int depth = builder.Config["depth"]!.GetValue<int>();
        Func<double, double> activation = depth > 0 ? value => value / (1 + Math.Exp(-value)) : value => Math.Max(value, 0);
        double[,] h = Map(Product(Transposed(_w), Transposed(Stored("", "peanut_A.weight", Rank, module.Outputs))), activation);
        var residuals = new Stack<double[,]>();
        for (int i = 0; i < depth; i++)
        {
            residuals.Push(h);
            h = Map(Product(h, Transposed(Stored("", $"peanut_encoders.{i}.weight", Rank, Rank))), activation);
        }

        for (int i = 0; i < depth; i++)
        {
            h = Sum(Map(Product(h, Transposed(Stored("", $"peanut_decoders.{i}.weight", Rank, Rank))), activation), residuals.Pop());
        }

        return Map(Transposed(Product(h, Transposed(Stored("", "peanut_B.weight", module.Outputs, Rank)))), value => 1.5 * value);
    }

    private double[,] Supertuning()
    {
        double[,] weight = (double[,])_w.Clone();
        float[] values = builder.Values($"{module.Path}.supertuning_values");
        float[] places = builder.Values($"{module.Path}.supertuning_indices");
        for (int i = 0; i < values.Length; i++)
        {
            weight[(int)places[i] / module.Inputs, (int)places[i] % module.Inputs] += values[i];
        }

        return builder.Config.ContainsKey("r")
            ? Sum(weight, Product(Stored("", "supertuning_lora_B.weight", module.Outputs, 2), Stored("", "supertuning_lora_A.weight", 2, module.Inputs)), 1.5)
            : weight;
    }

    private double[,] Lora(string name)
    {
        const int Rank = 3;
        double[,] b = Stored("", "lora_B.weight", module.Outputs, Rank);
        switch (name)
        {
            case "LORA kasa":
                float[] diagonal = builder.Values($"{module.Path}.lora_diag");
                double[,] a = Stored("", "lora_A.weight", Rank, module.Inputs);
                for (int i = 0; i < a.Length; i++)
                {
                    a[i / module.Inputs, i % module.Inputs] *= diagonal[i / module.Inputs];
                }

                return Sum(WithoutLeast(_w, Rank), Product(b, a), 4.0 / Rank);
            case "LORA qalora":
                // x is pooled by the mean of two, times the number of pools.
                int pools = module.Inputs / 2;
                double[,] pooling = new double[pools, module.Inputs];
                for (int j = 0; j < module.Inputs; j++)
                {
                    pooling[j / 2, j] = 0.5 * pools;
                }

                return Sum(_w, Product(b, Product(Stored("", "lora_A.weight", Rank, pools), pooling)), 4.0 / Rank);
            default:
                return Sum(_w, Product(b, Stored("", "lora_A.weight", Rank, module.Inputs)), 4.0 / Rank);
        }
    }

    /// <summary>W less its least singular values, found one after another by Jacobi's rotations of its columns.</summary>
    private static double[,] WithoutLeast(double[,] w, int count)
    {
        (int rows, int columns) = (w.GetLength(0), w.GetLength(1));
        if (rows < columns)
        {
            return Transposed(WithoutLeast(Transposed(w), count));
        }

        double[,] u = (double[,])w.Clone();
        double[,] v = new double[columns, columns];
        for (int i = 0; i < columns; i++)
        {
            v[i, i] = 1;
        }

        for (int sweep = 0; sweep < 60; sweep++)
        {
            for (int p = 0; p < columns; p++)
            {
                for (int q = p + 1; q < columns; q++)
                {
                    double alpha = Dot(u, p, p);
                    double beta = Dot(u, q, q);
                    double gamma = Dot(u, p, q);
                    if (Math.Abs(gamma) > 1e-15)
                    {
                        double zeta = (beta - alpha) / (2 * gamma);
                        double t = (zeta >= 0 ? 1 : -1) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                        double c = 1 / Math.Sqrt(1 + (t * t));
                        Turn(u, p, q, c, c * t);
                        Turn(v, p, q, c, c * t);
                    }
                }
            }
        }

        foreach (int least in Enumerable.Range(0, columns).OrderBy(k => Dot(u, k, k)).Take(count))
        {
            for (int i = 0; i < rows; i++)
            {
                u[i, least] = 0;
            }
        }

        return Product(u, Transposed(v));
    }

    private static double Dot(double[,] m, int p, int q) => Enumerable.Range(0, m.GetLength(0)).Sum(i => m[i, p] * m[i, q]);

    private static void Turn(double[,] m, int p, int q, double cosine, double sine)
    {
        for (int i = 0; i < m.GetLength(0); i++)
        {
            (m[i, p], m[i, q]) = ((cosine * m[i, p]) - (sine * m[i, q]), (sine * m[i, p]) + (cosine * m[i, q]));
        }
    }

    /// <summary>The first columns of H₁·H₂·…, Householder's matrices written out whole.</summary>
    private static double[,] Reflected(double[,] p)
    {
        (int rows, int columns) = (p.GetLength(0), p.GetLength(1));
        double[,] q = Identity(rows);
        double[,] rest = (double[,])p.Clone();
        for (int k = 0; k < columns && k < rows - 1; k++)
        {
            double[] u = [.. Enumerable.Range(0, rows).Select(i => i < k ? 0 : rest[i, k])];
            u[k] += Math.CopySign(Math.Sqrt(u.Sum(value => value * value)), rest[k, k]);
            double square = u.Sum(value => value * value);
            double[,] h = Identity(rows);
            for (int i = 0; i < rows * rows; i++)
            {
                h[i / rows, i % rows] -= 2 * u[i / rows] * u[i % rows] / square;
            }

            (rest, q) = (Product(h, rest), Product(q, h));
        }

        double[,] first = new double[rows, columns];
        for (int i = 0; i < rows * columns; i++)
        {
            first[i / columns, i % columns] = q[i / columns, i % columns];
        }

        return first;
    }

    private static double[,] Identity(int size)
    {
        double[,] identity = new double[size, size];
        for (int i = 0; i < size; i++)
        {
            identity[i, i] = 1;
        }

        return identity;
    }

    private double[,] Stored(string prefix, string name, int rows, int columns) => Matrix(builder.Values($"{prefix}{module.Path}.{name}"), rows, columns);

    private static double[,] Matrix(float[] values, int rows, int columns)
    {
        double[,] matrix = new double[rows, columns];
        for (int i = 0; i < values.Length; i++)
        {
            matrix[i / columns, i % columns] = values[i];
        }

        return matrix;
    }

    private static double[,] Product(double[,] a, double[,] b)
    {
        double[,] product = new double[a.GetLength(0), b.GetLength(1)];
        for (int i = 0; i < a.GetLength(0); i++)
        {
            for (int j = 0; j < b.GetLength(1); j++)
            {
                for (int k = 0; k < a.GetLength(1); k++)
                {
                    product[i, j] += a[i, k] * b[k, j];
                }
            }
        }

        return product;
    }

    private static double[,] Sum(double[,] a, double[,] b, double factor = 1)
    {
        double[,] sum = (double[,])a.Clone();
        for (int i = 0; i < a.Length; i++)
        {
            sum[i / a.GetLength(1), i % a.GetLength(1)] += factor * b[i / a.GetLength(1), i % a.GetLength(1)];
        }

        return sum;
    }

    private static double[,] Map(double[,] a, Func<double, double> function)
    {
        double[,] mapped = (double[,])a.Clone();
        for (int i = 0; i < a.Length; i++)
        {
            mapped[i / a.GetLength(1), i % a.GetLength(1)] = function(mapped[i / a.GetLength(1), i % a.GetLength(1)]);
        }

        return mapped;
    }

    private static double[,] Transposed(double[,] a)
    {
        double[,] transposed = new double[a.GetLength(1), a.GetLength(0)];
        for (int i = 0; i < a.Length; i++)
        {
            transposed[i % a.GetLength(1), i / a.GetLength(1)] = a[i / a.GetLength(1), i % a.GetLength(1)];
        }

        return transposed;
    }
}
