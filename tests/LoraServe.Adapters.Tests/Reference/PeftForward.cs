using System.Numerics;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>What PEFT's layers of some methods compute, step by step as their forward does, in float64.</summary>
/// <param name="model">The base.</param>
/// <param name="builder">The adapter.</param>
/// <param name="module">The layer.</param>
internal sealed class PeftForward(IBaseModel model, AdapterBuilder builder, BaseModule module)
{
    private readonly double[][] _weight = [.. Enumerable.Range(0, module.Outputs).Select(row => Doubles(model.Weight(module).Row(row)))];

    /// <summary>The layer's result.</summary>
    public double[] Run(double[] x)
    {
        string type = builder.Config["peft_type"]!.GetValue<string>();
        double[] y = Base(x);
        return type switch
        {
            "ROAD" => Road(y),
            "BEFT" => Sum(y, Parameter("beft_bias")),
            "C3A" => Sum(y, Circular(x)),
            "WAVEFT" => Sum(y, Times(Wavelets(), x)),
            "DELORA" => Sum(y, Delora(x)),
            "GRALORA" => Sum(y, Gralora(x)),
            "HIRA" => Sum(y, Hira(x)),
            "PVERA" => Sum(y, Pvera(x)),
            _ => throw new NotSupportedException(type),
        };
    }

    private double[] Base(double[] x)
    {
        float[] bias = new float[module.Outputs];
        model.CopyBias(module.Site, bias);
        return Sum(Times(_weight, x), Doubles(bias));
    }

    // x * first_col + rotate_half(x) * second_col.
    private double[] Road(double[] z)
    {
        int size = Integer("group_size");
        (double[] theta, double[] alpha) = (Parameter("road_theta"), Parameter("road_alpha"));
        double[] result = new double[z.Length];
        for (int i = 0; i < z.Length; i++)
        {
            (int group, int member) = (i / size, i % size);
            (int first, int second) = builder.Config["variant"]!.GetValue<string>() switch
            {
                "road_1" => ((group * size / 2) + (member % (size / 2)), (group * size / 2) + (member % (size / 2))),
                "road_2" => (i, i),
                _ => ((group * 2 * size) + member, (group * 2 * size) + size + member),
            };
            double turned = member < size / 2 ? -z[i + (size / 2)] : z[i - (size / 2)];
            result[i] = (z[i] * alpha[first] * Math.Cos(theta[first])) + (turned * alpha[second] * Math.Sin(theta[second]));
        }

        return result;
    }

    // fft(ifft(x) · fft(w)).real / inputs, summed over blocks of inputs.
    private double[] Circular(double[] x)
    {
        double[] kernels = Parameter("c3a_kernel");
        int size = builder.Config["block_size_pattern"]?[module.Name]?.GetValue<int>() ?? Integer("block_size");
        int blocks = module.Inputs / size;
        double[] y = new double[module.Outputs];
        for (int m = 0; m < module.Outputs / size; m++)
        {
            Complex[] sum = new Complex[size];
            for (int n = 0; n < blocks; n++)
            {
                Complex[] inputs = Fourier([.. x.Skip(n * size).Take(size).Select(value => new Complex(value, 0))], 1);
                Complex[] kernel = Fourier([.. kernels.Skip(((m * blocks) + n) * size).Take(size).Select(value => new Complex(value, 0))], -1);
                sum = [.. sum.Select((value, k) => value + (inputs[k] / size * kernel[k]))];
            }

            Fourier(sum, -1).Select(value => value.Real / module.Inputs).ToArray().CopyTo(y, m * size);
        }

        return y;
    }

    private static Complex[] Fourier(Complex[] values, int sign) =>
        [.. values.Select((_, k) => values.Select((value, j) => value * Complex.FromPolarCoordinates(1, sign * 2 * Math.PI * k * j / values.Length)).Aggregate((a, b) => a + b))];

    // A padded matrix of coefficients, cut into four bands, a transposed convolution of stride 2 with each band's filter, the edges cut off.
    private double[][] Wavelets()
    {
        (int rows, int columns) = (module.Outputs, module.Inputs);
        double[] spectrum = Parameter("waveft_spectrum");
        double scaling = builder.Config["scaling"]!.GetValue<double>();
        int[] places = new TorchGenerator((ulong)Integer("random_loc_seed")).FirstOfPermutation(rows * columns, spectrum.Length);
        double[][] delta = Zeros(rows, columns);
        if (!builder.Config["use_idwt"]!.GetValue<bool>())
        {
            for (int i = 0; i < places.Length; i++)
            {
                delta[places[i] / columns][places[i] % columns] = spectrum[i] * scaling;
            }

            return delta;
        }

        double[] low = builder.Config["wavelet_family"]!.GetValue<string>() switch
        {
            "db1" => [Math.Sqrt(0.5), Math.Sqrt(0.5)],
            "db2" => [.. ((double[])[1 + Math.Sqrt(3), 3 + Math.Sqrt(3), 3 - Math.Sqrt(3), 1 - Math.Sqrt(3)]).Select(value => value / (4 * Math.Sqrt(2)))],
            _ => [-0.07273261951285, 0.33789766245781, 0.85257202021226, 0.38486484686420, -0.07273261951285, -0.01565572813546], // coif1
        };
        double[] high = [.. low.Select((_, i) => (i % 2 == 0 ? 1 : -1) * low[^(i + 1)])];
        int taps = low.Length;
        int height = (rows + taps - 1) / 2 * 2;
        int width = (columns + taps - 1) / 2 * 2;
        double[][] dense = Zeros(height, width);
        for (int i = 0; i < places.Length; i++)
        {
            dense[(places[i] / columns) + ((height - rows) / 2)][(places[i] % columns) + ((width - columns) / 2)] = spectrum[i];
        }

        double[][] whole = Zeros(height + taps - 2, width + taps - 2);
        for (int band = 0; band < 4; band++)
        {
            // Of PEFT's bands the top right goes through (high, low) and the bottom left through (low, high).
            (int top, int left) = (band / 2 * height / 2, band % 2 * width / 2);
            (double[] down, double[] across) = (band % 2 == 0 ? low : high, band / 2 == 0 ? low : high);
            for (int k = 0; k < height / 2 * (width / 2); k++)
            {
                (int r, int c) = (k / (width / 2), k % (width / 2));
                for (int i = 0; i < taps * taps; i++)
                {
                    whole[(2 * r) + (i / taps)][(2 * c) + (i % taps)] += dense[top + r][left + c] * down[i / taps] * across[i % taps];
                }
            }
        }

        int edge = ((2 * taps) - 3) / 2;
        for (int i = 0; i < rows * columns; i++)
        {
            delta[i / columns][i % columns] = scaling * whole[edge + (i / columns)][edge + (i % columns)];
        }

        return delta;
    }

    private double[] Delora(double[] x)
    {
        (double[][] a, double[][] b) = (Matrix("delora_A"), Matrix("delora_B"));
        double[] norms = Parameter("delora_w_norm");
        double[] h = Times(a, [.. x.Zip(norms, (value, norm) => value * norm)]);
        for (int k = 0; k < h.Length; k++)
        {
            double length = Math.Max(Math.Sqrt(a[k].Sum(value => value * value)), 1e-4) * Math.Max(Math.Sqrt(b.Sum(row => row[k] * row[k])), 1e-4);
            h[k] *= Parameter("delora_lambda")[0] / h.Length / length;
        }

        return Times(b, h);
    }

    // einsum("blni, nir -> blnr"), the last axis dealt out, einsum("bljr, jro -> bljo").
    private double[] Gralora(double[] x)
    {
        (int blocks, int rank, int whole) = (Integer("gralora_k"), Integer("r"), Integer("hybrid_r"));
        (int inputs, int outputs, int share) = (module.Inputs / blocks, module.Outputs / blocks, rank / blocks);
        (double[] a, double[] b) = (Parameter("gralora_A"), Parameter("gralora_B"));
        double[] y = new double[module.Outputs];
        for (int j = 0; j < blocks; j++)
        {
            for (int t = 0; t < rank; t++)
            {
                (int n, int r) = (t / share, (j * share) + (t % share));
                double down = Enumerable.Range(0, inputs).Sum(i => x[(n * inputs) + i] * a[(((n * inputs) + i) * rank) + r]);
                for (int o = 0; o < outputs; o++)
                {
                    y[(j * outputs) + o] += down * b[(((j * rank) + t) * outputs) + o];
                }
            }
        }

        y = whole == 0 ? y : Sum(y, Times(Matrix("gralora_B_general.weight"), Times(Matrix("gralora_A_general.weight"), x)));
        double scaling = builder.Config["alpha"]!.GetValue<double>() / (rank + whole);
        return [.. y.Select(value => value * scaling)];
    }

    private double[] Hira(double[] x)
    {
        (double[][] a, double[][] b) = (Matrix("hira_A"), Matrix("hira_B"));
        return [.. _weight.Select((row, o) => row.Select((w, i) => w * Enumerable.Range(0, a.Length).Sum(k => b[o][k] * a[k][i]) * x[i]).Sum())];
    }

    private double[] Pvera(double[] x)
    {
        int rank = Integer("r");
        double[] d = Parameter("pvera_lambda_d");
        double[] h = [.. Shared("pvera_A").Select((row, k) => d[k] * row.Take(x.Length).Zip(x, (a, b) => a * b).Sum())];
        double[] scale = Parameter("pvera_lambda_b");
        return [.. Times(Shared("pvera_B"), h[..rank]).Take(module.Outputs).Zip(scale, (value, b) => value * b)];
    }

    private double[][] Shared(string name) => Rows(Doubles(builder.Values(name)), (int)builder.Shape(name)[1]);

    private string Name(string part) => builder.Prefix == "base_model." ? $"model.{module.Path}.{part}" : $"{module.Path}.{part}";

    private double[] Parameter(string part) => Doubles(builder.Values(Name(part)));

    private double[][] Matrix(string part) => Rows(Parameter(part), (int)builder.Shape(Name(part))[1]);

    private int Integer(string field) => builder.Config[field]!.GetValue<int>();

    private static double[] Doubles(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), value => (double)value);

    private static double[][] Rows(double[] values, int width) => [.. values.Chunk(width)];

    private static double[][] Zeros(int rows, int columns) => [.. Enumerable.Range(0, rows).Select(_ => new double[columns])];

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double[] Times(double[][] matrix, double[] x) => Array.ConvertAll(matrix, row => row.Zip(x, (a, b) => a * b).Sum());
}
