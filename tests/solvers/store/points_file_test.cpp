#include "solvers/store/points_file.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/hdf5_file.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

class PointsFile : public testing::Test {
 protected:
  Eigen::MatrixXd points_of(const std::string& text) {
    write_atomically(folder_.file("p.csv"), text);
    return read_points(folder_.file("p.csv"), {"t", "x"});
  }
  std::string error_of(const std::string& text) {
    return message_of<InputError>([&] { points_of(text); });
  }
  TemporaryFolder folder_;
};

const Eigen::MatrixXd kExpected = (Eigen::MatrixXd(2, 2) << 0, -1.5, 1, 2e-3).finished();

TEST_F(PointsFile, ReadsTextOfManyKinds) {
  EXPECT_EQ(points_of("t,x\n0,-1.5\n1,2e-3\n"), kExpected);
  EXPECT_EQ(points_of("0,-1.5\n1,+2e-3"), kExpected);
  EXPECT_EQ(points_of("x;t\n-1.5;0\n2e-3;1\n"), kExpected) << "order of the header";
  EXPECT_EQ(points_of("u x t\n9 -1.5 0\n9 2e-3 1\n"), kExpected) << "other columns";
  EXPECT_EQ(points_of("  0\t-1.5  \n\n# note\n1   2e-3 % why\n"), kExpected);
  EXPECT_EQ(points_of("\xEF\xBB\xBF\"t\", \"x\"\r\n0, -1.5\r\n1, 2e-3\r\n"), kExpected);
  EXPECT_EQ(points_of("# x t\n-1.5 0\n2e-3 1\n"), kExpected) << "a comment that names the columns";
  EXPECT_EQ(points_of("# points\n0 -1.5\n1 2e-3\n"), kExpected);
  EXPECT_EQ(points_of("0 1e-999\n").sum(), 0.0);
}

TEST_F(PointsFile, ErrorsNameTheLine) {
  EXPECT_HAS(error_of("t,x\n0,1\n2\n"), "line 3: 1 column, expected 2 (t, x)");
  EXPECT_HAS(error_of("0,1\n# c\n2,3,4\n"), "line 3: 3 columns, expected 2");
  EXPECT_HAS(error_of("0 1\n2 abc\n"), "line 2: 'abc' is not a number");
  EXPECT_HAS(error_of("0 1\n2 1d3\n"), "'1d3' is not a number");
  EXPECT_HAS(error_of("0,1\n2,\n"), "line 2: '' is not a number");
  EXPECT_HAS(error_of("0;1,5\n"), "'1,5' is not a number");
  EXPECT_HAS(error_of("0 1\nnan 2\n"), "line 2: coordinate 't' is not finite");
  EXPECT_HAS(error_of("0 1\n2 -inf\n"), "line 2: coordinate 'x' is not finite");
  EXPECT_HAS(error_of("0 1e999\n"), "line 1: coordinate 'x' is not finite");
}

TEST_F(PointsFile, ErrorsOfTheWholeFile) {
  EXPECT_HAS(error_of(""), "holds no points");
  EXPECT_HAS(error_of("# nothing\n\n"), "holds no points");
  EXPECT_HAS(error_of("t,x\n"), "no points below its header");
  EXPECT_HAS(error_of("t,y\n0,1\n"), "no column 'x' in the header (t, y)");
  EXPECT_HAS(error_of("t,x,x\n0,1,2\n"), "column 'x' appears twice");
  EXPECT_HAS(message_of<InputError>([&] { read_points(folder_.file("none.csv"), {"x"}); }), "does not exist");
  EXPECT_HAS(message_of<InputError>([&] { read_points(folder_.path(), {"x"}); }), "is a folder");
  write_atomically(folder_.file("fake.h5"), "0 1\n");
  EXPECT_HAS(message_of<InputError>([&] {
               read_points(folder_.file("fake.h5"), {"t", "x"});
             }),
             "is not an HDF5 file");
}

TEST_F(PointsFile, WritingComesBackToTheLastBit) {
  const Eigen::MatrixXd points = Eigen::MatrixXd::Random(20, 3) / 3.0;
  for (const char* name : {"p.csv", "p.h5", "p.hdf5"}) {
    write_points(folder_.file(name), {"t", "x", "u"}, points);
    EXPECT_EQ(read_points(folder_.file(name), {"t", "x", "u"}), points);
    EXPECT_EQ(read_points(folder_.file(name), {"u", "t"}).col(0), points.col(2));
  }
  EXPECT_TRUE(is_hdf5(folder_.file("p.h5")));
  EXPECT_THROW(write_points(folder_.file("p.csv"), {"t"}, points), std::invalid_argument);
  EXPECT_THROW(write_points(folder_.file("no/p.csv"), {"t", "x", "u"}, points), InputError);
}

TEST_F(PointsFile, ReadsHdf5Matrices) {
  const std::string path = folder_.file("m.h5");
  const auto write = [&](const std::string& name, const std::vector<double>& values,
                         const std::vector<long>& shape) {
    Hdf5File file = Hdf5File::create(path, {"any", 1, 0});
    file.root().write(name, values.data(), shape);
    file.save();
  };
  const auto message = [&] { return message_of<InputError>([&] { read_points(path, {"t", "x"}); }); };
  write("points", {0, -1.5, 1, 2e-3}, {2, 2});
  EXPECT_EQ(read_points(path, {"t", "x"}), kExpected);
  write("points", {0, 1, 2}, {1, 3});
  EXPECT_HAS(message(), "'points' must have the shape (N, 2)");
  write("points", {0, NAN}, {1, 2});
  EXPECT_HAS(message(), "point 0 (counted from 0) is not finite");
  write("points", {}, {0, 2});
  EXPECT_HAS(message(), "holds no points");
  write("y", {1}, {1});
  EXPECT_HAS(message(), "must hold the datasets t, x");
}

TEST_F(PointsFile, ReadsTables) {
  const std::string path = folder_.file("table.dat");
  write_atomically(path, "% Model: a.mph\n% X   u (1)\n-1  0  NaN\n0.5 2 3\n");
  const Eigen::MatrixXd table = read_table(path);
  ASSERT_EQ(table.rows(), 2);
  ASSERT_EQ(table.cols(), 3);
  EXPECT_EQ(table(1, 2), 3);
  EXPECT_TRUE(std::isnan(table(0, 2)));
  write_atomically(path, "1 2\n3\n");
  EXPECT_HAS(message_of<InputError>([&] { read_table(path); }), "line 2: 1 column, expected 2");
  write_atomically(path, "1 2\n3 x\n");
  EXPECT_HAS(message_of<InputError>([&] { read_table(path); }), "line 2: 'x' is not a number");
  write_atomically(path, "% only\n");
  EXPECT_HAS(message_of<InputError>([&] { read_table(path); }), "holds no numbers");
}

}  // namespace
}  // namespace torsor
