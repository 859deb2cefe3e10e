using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;

namespace LoraServe.Adapters.Tests.LinearAlgebra;

public sealed class CayleyTransformTests
{
    private const int Size = 5;

    public static TheoryData<int> Terms => [0, 1, 2, 3, 4, 5, 8];

    [Fact]
    public void Run_SkewSymmetricMatrix_IsARotation()
    {
        double[,] rotation = WithIdentity(CayleyTransform.Exact.Run(Skew(1, 3)));

        for (int i = 0; i < Size; i++)
        {
            for (int j = 0; j < Size; j++)
            {
                Assert.Equal(i == j ? 1 : 0, Enumerable.Range(0, Size).Sum(k => rotation[i, k] * rotation[j, k]), 5);
            }
        }
    }

    [Fact]
    public void Run_ManyTermsOfASmallMatrix_IsTheInverseRotation()
    {
        FloatMatrix q = Skew(2, 0.2f);

        FloatMatrix series = CayleyTransform.Series(30).Run(q);

        Assert.All(CayleyTransform.Exact.Run(q).Transposed().Values.Zip(series.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    /// <summary>Of one input pair with angle q, powers alternate: the coefficients show in even and odd places.</summary>
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 0, 2)]
    [InlineData(3, -2, 1)]
    [InlineData(4, -2, 1)]
    [InlineData(5, -1, 0)]
    [InlineData(6, 0, 1)]
    public void Run_SomeTerms_TakesTheLastPowerOnce(int terms, float even, float odd)
    {
        FloatMatrix change = CayleyTransform.Series(terms).Run(new FloatMatrix(2, 2, [0, 1, -1, 0]));

        Assert.Equal([even, odd, -odd, even], change.Values);
    }

    [Theory]
    [MemberData(nameof(Terms))]
    public void Back_AnyDirection_GivesTheSlope(int terms)
    {
        CayleyTransform transform = terms == 0 ? CayleyTransform.Exact : CayleyTransform.Series(terms);
        (FloatMatrix q, FloatMatrix direction, FloatMatrix gradient) = (Skew(3, 1), Random(4), Random(5));

        double slope = Dot(transform.Back(q, transform.Run(q), gradient), direction);

        const float Step = 1e-3f;
        double measured = (Dot(transform.Run(Moved(q, direction, Step)), gradient) - Dot(transform.Run(Moved(q, direction, -Step)), gradient)) / (2 * Step);
        Assert.Equal(measured, slope, 2e-2);
    }

    private static FloatMatrix Moved(FloatMatrix matrix, FloatMatrix direction, float step) =>
        new(Size, Size, [.. matrix.Values.Zip(direction.Values, (value, change) => value + (step * change))]);

    private static double Dot(FloatMatrix a, FloatMatrix b) => a.Values.Zip(b.Values, (x, y) => (double)x * y).Sum();

    private static FloatMatrix Random(int seed)
    {
        var random = new Random(seed);
        return new FloatMatrix(Size, Size, [.. Enumerable.Range(0, Size * Size).Select(_ => random.NextSingle() - 0.5f)]);
    }

    private static FloatMatrix Skew(int seed, float range)
    {
        FloatMatrix values = Random(seed);
        return new FloatMatrix(Size, Size, [.. values.Values.Zip(values.Transposed().Values, (a, b) => range * (a - b))]);
    }

    private static double[,] WithIdentity(FloatMatrix change)
    {
        double[,] sum = new double[Size, Size];
        for (int i = 0; i < Size * Size; i++)
        {
            sum[i / Size, i % Size] = change.Values[i] + (i / Size == i % Size ? 1 : 0);
        }

        return sum;
    }
}
